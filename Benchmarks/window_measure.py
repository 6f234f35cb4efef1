"""What window.sh leaves to a language with numbers: starts both servers, runs wrk in turns, writes the table."""

import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request

from crowd import Crowd
from private_mesh import ROOT, free_port

PATHS = ["/nodes?limit=100", "/nodes?limit=100&sort=-equity&q=kestrel", "/health", "/overview", "/livez"]
SECONDS, CONNECTIONS = 2, 8


def wrk(address, packed=False):
    """(requests a second, p99 in milliseconds)"""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency"]
    if packed:
        command += ["-H", "Accept-Encoding: gzip"]
    done = subprocess.run(command + [address], capture_output=True, timeout=60, check=True)
    text = done.stdout.decode()
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    # /health answers 503 where only the dashboard runs; its body is the same.
    is_refused = "Non-2xx" in text and not address.endswith("/health")
    if not rate or not slow or is_refused:
        raise RuntimeError(f"wrk {address}: {text[-400:]}")
    return float(rate[1]), float(slow[1]) * {"us": 0.001, "ms": 1, "s": 1000}[slow[2]]


def main(arguments):
    rounds = int(arguments[0]) if arguments else 5
    products = os.environ.get("MESH_PRODUCTS", os.path.join(ROOT, ".build", "release"))
    crowd = Crowd(products)
    port = free_port(set(crowd.mesh.ports.values()))
    hello = subprocess.Popen([os.path.join(products, "hello-reference"), str(port)], stdin=subprocess.DEVNULL)
    reference = f"http://127.0.0.1:{port}/"
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(reference, timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        sides = {"hello": (reference, False)}
        for path in PATHS:
            sides[path] = (crowd.address(path), False)
        sides["/overview, gzip"] = (crowd.address("/overview"), True)
        seen = {name: [] for name in sides}
        names = list(sides)
        for turn in range(rounds):
            # The one that goes first changes, so that a drift of the machine favours none.
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                seen[name].append(wrk(*sides[name]))
    finally:
        hello.terminate()
        hello.wait(10)
        crowd.close()
    plain = [statistics.median(rate for rate, _ in seen["hello"])]
    print(f"{crowd.terminals:,} terminals, {CONNECTIONS} connections, median of {rounds} rounds of {SECONDS} s")
    print(f"{'path':42} {'requests/s':>10} {'of hello':>9} {'p99 ms':>8}")
    for name, results in seen.items():
        rate = statistics.median(r for r, _ in results)
        slow = statistics.median(s for _, s in results)
        print(f"{name:42} {rate:10,.0f} {rate / plain[0]:9.2f} {slow:8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
