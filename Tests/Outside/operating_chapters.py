"""meshctl: start, ask, stop."""

import json
import os
import socket
import time


def soon(observe, accept, within=5.0):
    """What is seen once it is acceptable, or last; before there are terminals that have to live on meanwhile."""
    end = time.monotonic() + within
    while True:
        seen = observe()
        if accept(seen) or time.monotonic() > end:
            return seen
        time.sleep(0.05)


def start(mesh, report):
    began = time.monotonic()
    code, output = mesh.meshctl("start", timeout=90)
    report.check("meshctl start brings the mesh up", code == 0, f"exit {code}: {output}")
    print(output.rstrip(), flush=True)
    report.check("its table names all seven", all(name in output for name in mesh.SERVICES), output)
    report.check("it took less than 15 s", time.monotonic() - began < 15, time.monotonic() - began)
    for name in mesh.SERVICES:
        item = soon(lambda: mesh.service(name), lambda item: item.get("state") in mesh.UP)
        report.check(f"/services: {name} is up", item.get("state") in mesh.UP and isinstance(item.get("pid"), int),
                     item)
    code, output = mesh.meshctl("start", timeout=60)
    report.check("a second start changes nothing and says so", code == 0 and "already" in output.lower(),
                 f"exit {code}: {output}")
    health = soon(lambda: mesh.page("/health"), lambda page: page[1].get("status") == "pass")
    report.check("/health is 200 and pass", health[0] == 200 and health[1].get("status") == "pass", health)
    code, output = mesh.meshctl("status")
    report.check("meshctl status of a fresh mesh is 0", code == 0, f"exit {code}: {output}")


def asked(world):
    mesh, report = world.mesh, world.report
    for command, codes in (("status", (0, 1)), ("nodes", (0,)), ("positions", (0,)), ("ledger", (0, 1)),
                           ("fires", (0,)), ("ports", (0,)), ("alerts", (0,)), ("doctor", (0, 1))):
        code, output = mesh.meshctl(command)
        report.check(f"meshctl {command} exits with {' or '.join(map(str, codes))}", code in codes,
                     f"exit {code}: {output}")
        code, output = mesh.meshctl(command, "--json")
        try:
            json.loads(output.splitlines()[0] if command in ("fires",) and output.count("\n{") else output)
            good = True
        except (ValueError, IndexError):
            good = False
        report.check(f"meshctl {command} --json is JSON", good and code in codes, f"exit {code}: {output[:400]}")
    code, output = mesh.meshctl("nodes")
    report.check("meshctl nodes shows the terminals", "outside_trader_x" in output, output)
    code, output = mesh.meshctl("journal", "verify")
    report.check("meshctl journal verify is good while the mesh runs", code == 0, f"exit {code}: {output}")
    code, output = mesh.meshctl("explode")
    report.check("bad usage is 64", code == 64, f"exit {code}: {output}")


def stop(mesh, report):
    pids = mesh.processes()
    began = time.monotonic()
    code, output = mesh.meshctl("stop", timeout=40)
    took = time.monotonic() - began
    report.check("meshctl stop exits with 0 within 10 s", code == 0 and took <= 10,
                 f"exit {code} after {took:.1f} s: {output}")
    left = {pid: text for pid, text in mesh.processes().items()}
    report.check("no process is left", not left, left)
    report.check("it had been processes of ours", len(pids) >= 8, pids)
    listening = {name: port for name, port in mesh.ports.items() if mesh.bind_fails(port)}
    report.check("no port is left listening", not listening, listening)
    code, output = mesh.meshctl("status")
    report.check("status of a stopped mesh is critical or unknown", code in (2, 3), f"exit {code}: {output}")
    code, output = mesh.meshctl("stop", timeout=40)
    report.check("a second stop has nothing to do and says so", code == 0, f"exit {code}: {output}")


def survived(mesh, report):
    """Started again, the mesh knows what it knew."""
    code, output = mesh.meshctl("start", timeout=90)
    report.check("it starts again on its state", code == 0, f"exit {code}: {output}")
    items = mesh.items("/positions?state=closed&limit=1000")
    report.check("closed positions are still known", len(items) >= 4, items)
    keep = os.path.isdir(os.path.join(mesh.directory, "var"))
    report.check("its state stands in its own directory", keep)
    code, output = mesh.meshctl("stop", timeout=40)
    report.check("and stops again", code == 0 and not mesh.processes(), f"exit {code}: {output}")


def impossible(mesh, report):
    """A taken port, a broken list of ports: one clear line, an exit code, nothing left running."""
    port = mesh.ports["orders"]
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        holder.listen()
        code, output = mesh.meshctl("start", timeout=60)
        report.check("a taken port is named and nothing is left running",
                     code != 0 and str(port) in output and not mesh.processes(),
                     f"exit {code}: {output} {mesh.processes()}")
    path = os.path.join(mesh.directory, "ports.yaml")
    with open(path, encoding="utf-8") as file:
        good = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(good.replace(f"port: {mesh.ports['registry']},", f"port: {port},"))
    code, output = mesh.meshctl("start", timeout=60)
    report.check("a port given twice is named and nothing is left running",
                 code != 0 and str(port) in output and len(output.strip().splitlines()) == 1 and not mesh.processes(),
                 f"exit {code}: {output}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(good)
