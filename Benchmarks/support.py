#!/usr/bin/python3
"""What run.sh leaves to a language with numbers: free ports, reading reports, and the table at the end."""

import json
import math
import os
import random
import re
import socket
import statistics
import sys

SERVICES = [
    "handshake-processor", "confirmation-logger", "node-registry", "position-tracker", "heartbeat-monitor",
    "citadel-monitor", "health-dashboard",
]
REFERENCE_PORTS = ["reference-in", "reference-out", "control-in", "control-out"]
EXIT_TARGET_MISSED = 3


def free_ports(count):
    """Distinct free ports below the range that outgoing connections use. All are held until all are found."""
    held = []
    for candidate in random.sample(range(20000, 32000), 4000):
        probe = socket.socket()
        try:
            probe.bind(("127.0.0.1", candidate))
            held.append(probe)
        except OSError:
            probe.close()
        if len(held) == count:
            break
    else:
        raise SystemExit("support.py: not enough free ports")
    ports = [probe.getsockname()[1] for probe in held]
    for probe in held:
        probe.close()
    return ports


def renumber(source, target, listing):
    """Copies ports.yaml with free port numbers; writes `name port` lines, with those of the references added."""
    with open(source, encoding="utf-8") as file:
        text = file.read()
    rows = re.findall(r"\bport:\s*\d+.*?\bname:\s*([\w-]+)", text)
    numbers = free_ports(len(rows) + len(REFERENCE_PORTS))
    following = iter(numbers)
    text = re.sub(r"\bport:\s*\d+", lambda _: f"port: {next(following)}", text)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)
    with open(listing, "w", encoding="utf-8") as file:
        for name, number in zip(rows + REFERENCE_PORTS, numbers):
            file.write(f"{name} {number}\n")


def ready(path):
    """`service=ms` for each line of `meshctl start`'s table: the last number of a service's line."""
    found = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            words = line.split()
            name = next((word for word in words if word in SERVICES), None)
            numbers = re.findall(r"(?<![\w.])(\d+(?:\.\d+)?)(?=\s|ms|$)", line)
            if name and numbers:
                found.append(f"{name}={numbers[-1]}")
    print(" ".join(found))


def pids_from_status(path):
    """Service -> pid from any objects in `meshctl status --json` that have both."""
    try:
        with open(path, encoding="utf-8") as file:
            stack = [json.load(file)]
    except (OSError, ValueError):
        return {}
    found = {}
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if value.get("name") in SERVICES and isinstance(value.get("pid"), (int, str)):
                found[value["name"]] = int(value["pid"])
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return found


def kilobytes(path, field):
    with open(path, encoding="ascii") as file:
        return int(re.search(rf"^{field}:\s*(\d+) kB", file.read(), re.MULTILINE).group(1))


def memory(status, var):
    """Resident and proportional memory of each service, from /proc."""
    pids = pids_from_status(status)
    for name in SERVICES:
        try:
            pid = pids.get(name)
            if pid is None:
                with open(f"{var}/run/sv/{name}/supervise/pid", encoding="ascii") as file:
                    pid = int(file.read())
            # A supervisor's shell in the service's place would be measured as if it were the service.
            if os.path.basename(os.readlink(f"/proc/{pid}/exe")) != name:
                raise ValueError(f"pid {pid} is another program")
            resident = kilobytes(f"/proc/{pid}/status", "VmRSS")
            proportional = kilobytes(f"/proc/{pid}/smaps_rollup", "Pss")
            print(f"memory ours {name} rss_kb={resident} pss_kb={proportional}")
        except (OSError, ValueError, AttributeError) as error:
            print(f"support.py: memory of {name}: {error}", file=sys.stderr)


def read_results(path):
    """part -> side -> round -> {key: number}."""
    results = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            part, side, key, *pairs = line.split()
            values = {name: float(value) for name, value in (pair.split("=") for pair in pairs)}
            results.setdefault(part, {}).setdefault(side, {})[key] = values
    return results


def median_interval(values):
    """The narrowest pair of order statistics that holds the true median with at least 90 % probability.

    Needs no assumption about the distribution; below five values it is the whole range, and holds less.
    """
    ordered, count = sorted(values), len(values)
    outside, rank = 0.0, 0
    while rank < count // 2:
        following = outside + 2 * math.comb(count, rank) / 2**count
        if following > 0.1:
            break
        outside, rank = following, rank + 1
    rank = max(rank, 1)
    return ordered[rank - 1], ordered[count - rank]


class Report:
    """Rows of the table, and whether every target was met beyond doubt."""

    HEADER = ["measured", "ours", "reference", "ratio", "median in", "single pairs", "target", "met"]

    def __init__(self):
        self.rows = []
        self.missed = False

    def add(self, title, ours="", reference="", ratio="", interval="", span="", target="", met=""):
        self.missed = self.missed or met in ("NO", "unclear")
        self.rows.append([title, ours, reference, ratio, interval, span, target, met])

    def compare(self, title, ours, reference, unit, target=None, at_least=False):
        """A row of paired values: the ratio is taken pair by pair, then the median of the ratios."""
        ratios = [mine / theirs for mine, theirs in zip(ours, reference)]
        low, high = median_interval(ratios)
        met, wanted = "", ""
        if target is not None:
            wanted = f"{'>=' if at_least else '<='} {target}"
            surely, surely_not = (low >= target, high < target) if at_least else (high <= target, low > target)
            met = "yes" if surely else "NO" if surely_not else "unclear"
        self.add(
            title, f"{statistics.median(ours):,.0f} {unit}", f"{statistics.median(reference):,.0f} {unit}",
            f"{statistics.median(ratios):.2f}", f"{low:.2f}..{high:.2f}", f"{min(ratios):.2f}..{max(ratios):.2f}",
            wanted, met)

    def show(self):
        table = [self.HEADER] + self.rows
        widths = [max(len(row[column]) for row in table) for column in range(len(self.HEADER))]
        for index, row in enumerate(table):
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
            if index == 0:
                print("  ".join("-" * width for width in widths))


def report_relay(report, relay, title="relay", target=0.7):
    rounds = sorted(relay["ours"])
    ours, reference, control = (
        [relay[side][key] for key in rounds] for side in ("ours", "reference", "control"))

    def compare(text, left, right, key, **options):
        report.compare(text, [row[key] for row in left], [row[key] for row in right], "msg/s", **options)

    compare(f"{title}, at the subscriber", ours, reference, "delivered", target=target, at_least=True)
    compare(f"{title}, taken in", ours, reference, "accepted")
    compare(f"{title}, noise: the reference twice", control, reference, "delivered")
    lost = [f"{statistics.median(row['lost'] for row in rows):.2%}" for rows in (ours, reference)]
    report.add(f"{title}, share lost", *lost)


def report_pinned(report, relay):
    report_relay(report, relay, "relay on a core of its own", None)


def report_fire(report, fire):
    rounds = sorted(fire["ours"])
    for quantile, target in (("p50", 2.0), ("p99", None)):
        report.compare(
            f"fire to command {quantile}", [fire["ours"][key][quantile] for key in rounds],
            [fire["reference"][key][f"request_{quantile}"] + fire["reference"][key][f"evalsha_{quantile}"]
             for key in rounds],
            "us", target=target)


def report_confirm(report, confirm):
    rounds = sorted(confirm["ours"])
    report.compare(
        "confirmations durable and applied", [confirm["ours"][key]["per_second"] for key in rounds],
        [confirm["reference"][key]["per_second"] for key in rounds], "/s", target=1.0, at_least=True)


def report_receipt(report, receipt):
    """Beside one raw fdatasync of the same disk in the same minute; a group waits for one, and for what it gathers."""
    rows = list(receipt["ours"].values())
    for quantile in ("p50", "p99"):
        report.compare(
            f"ea-receipts at 1,000/s {quantile}, beside one fdatasync", [row[quantile] for row in rows],
            [row[f"fsync_{quantile}"] for row in rows], "us")


def report_citadel(report, citadel):
    rows = list(citadel["ours"].values())
    for quantile in ("p50", "p99"):
        report.compare(
            f"protection query {quantile}, {statistics.median(row['per_second'] for row in rows):,.0f} ticks/s beside",
            [row[quantile] for row in rows], [row[f"echo_{quantile}"] for row in rows], "us", target=2.0)


def report_citadel_memory(report, memory):
    row = memory["ours"]["1"]
    each = (row["after_kb"] - row["before_kb"]) / row["symbols"]
    report.add(f"citadel-monitor, memory for each of {row['symbols']:.0f} symbols", f"{each:,.0f} kB")


def report_start(report, start):
    rows = list(start["ours"].values())
    slowest = [max(row[name] for name in SERVICES) for row in rows if all(name in row for name in SERVICES)]
    if slowest:
        middle = statistics.median(slowest)
        report.add(
            "all seven ready", f"{middle:,.0f} ms", span=f"{min(slowest):,.0f}..{max(slowest):,.0f} ms",
            target="<= 1000 ms", met="yes" if middle <= 1000 else "NO")
    else:
        report.add("all seven ready", "not reported", target="<= 1000 ms", met="unclear")
    totals = [row["total_ms"] for row in rows]
    report.add(
        "meshctl start, Redis included", f"{statistics.median(totals):,.0f} ms",
        span=f"{min(totals):,.0f}..{max(totals):,.0f} ms")


def report_memory(report, rows):
    count = f"{len(rows)} of {len(SERVICES)}"
    for title, key in (("idle memory, resident", "rss_kb"), ("idle memory, shared pages once", "pss_kb")):
        total = f"{sum(row[key] for row in rows.values()) / 1024:.1f} MiB" if rows else "not available"
        report.add(f"{title} ({count})", total)


def report_load(report, load):
    row = load["ours"]["1"]
    report.add(
        "whole mesh, 41,000 ticks/s", f"{row['delivered']:,.0f} msg/s", span=f"{row['lost']:.2%} lost",
        target="0 lost", met="yes" if row["lost"] == 0 else "NO")


def report_all(path):
    results = read_results(path)
    report = Report()
    parts = {
        "relay": report_relay, "pinned": report_pinned, "confirm": report_confirm, "receipt": report_receipt,
        "citadel": report_citadel, "citadel-memory": report_citadel_memory,
        "fire": report_fire, "start": report_start, "load": report_load}
    for part, add in parts.items():
        if part in results:
            add(report, results[part])
    if "start" in results:
        report_memory(report, results.get("memory", {}).get("ours", {}))
    report.show()
    return EXIT_TARGET_MISSED if report.missed else 0


def cores():
    """The processors this process may use, as numbers."""
    print(*sorted(os.sched_getaffinity(0)))


def main(arguments):
    commands = {"ports": renumber, "cores": cores, "ready": ready, "memory": memory, "report": report_all}
    if not arguments or arguments[0] not in commands:
        print("usage: support.py ports|cores|ready|memory|report ...  (called by run.sh)", file=sys.stderr)
        return 64
    return commands[arguments[0]](*arguments[1:]) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
