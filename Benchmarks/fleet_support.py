#!/usr/bin/python3
"""What fleet.sh leaves to a language with numbers: CPU and memory of each service, and the table at the end."""

import json
import os
import statistics
import sys

from support import EXIT_TARGET_MISSED, SERVICES, Report, kilobytes, read_results

NAMES = SERVICES + ["redis"]


def usage(var, moment):
    """One line a service: CPU seconds so far, resident memory now and at its highest, in kB."""
    ticks = os.sysconf("SC_CLK_TCK")
    for name in NAMES:
        try:
            with open(f"{var}/run/sv/{name}/supervise/pid", encoding="ascii") as file:
                pid = int(file.read())
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                words = file.read().rpartition(")")[2].split()
            cpu = (int(words[11]) + int(words[12])) / ticks
            resident, highest = (kilobytes(f"/proc/{pid}/status", field) for field in ("VmRSS", "VmHWM"))
            print(f"usage {name} {moment} cpu_s={cpu:.2f} rss_kb={resident} highest_kb={highest}")
        except (OSError, ValueError, AttributeError) as error:
            print(f"fleet_support.py: {name}: {error}", file=sys.stderr)


def report_all(path, shed_path, terminals):
    results = read_results(path)
    report = Report()
    fleet = results["fleet"]
    rounds = sorted(fleet["ours"])

    def column(side, key):
        return [fleet[side][name][key] for name in rounds]

    report.compare(f"{terminals} terminals, 41,000 ticks/s: relay p50", column("ours", "p50"), column("reference", "p50"), "us")
    report.compare("the same, p99", column("ours", "p99"), column("reference", "p99"), "us", target=3.0)
    report.compare("p99 while one floods, beside p99 without", column("flooded", "p99"), column("ours", "p99"), "us",
                   target=2.0)
    for title, side in (("share lost", "ours"), ("the others' share lost while one floods", "flooded")):
        lost = max(column(side, "lost"))
        report.add(title, f"{lost:.4%}", target="0", met="yes" if lost == 0 else "NO")
    report.add("ticks sent a second", f"{statistics.median(column('ours', 'sent')):,.0f} in a round",
               span=f"{max(column('ours', 'blocked')):.0f} not taken at once")
    sent, came = (sum(column("flooded", key)) for key in ("flood_sent", "flood_received"))
    report.add("flood let through", f"{came / sent:.2%}")
    sheds = shed_of(shed_path)
    report.add("shed without a flood", f"{sum(sheds)}", span=f"in {len(sheds)} of {len(rounds)} rounds", target="0",
               met="yes" if len(sheds) == len(rounds) and not any(sheds) else "NO")
    backlog = results["backlog"]["ours"]["1"]
    report.add(f"{terminals} terminals connected", f"{backlog['connected_ms']:,.0f} ms", target="<= 30000 ms",
               met="yes" if backlog["connected_ms"] <= 30_000 else "NO")
    report.add("their 1,000 queued ticks each taken in", f"{backlog['backlog_ms']:,.0f} ms")
    report_usage(report, results.get("usage", {}), float(terminals))
    report.show()
    return EXIT_TARGET_MISSED if report.missed else 0


def shed_of(path):
    """What was shed in each round without a flood: the counters before it and after it are a line each."""
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    sums = [sum(row.get(name, 0) for name in ("shed_ticks", "shed_bars", "shed_heartbeats")) for row in rows]
    return [after - before for before, after in zip(sums[::2], sums[1::2])]


def report_usage(report, rows, terminals):
    """CPU over all rounds, memory with the fleet, and the highest with its backlogs."""
    total = 0.0
    for name in NAMES:
        moments = rows.get(name, {})
        if not {"before", "one", "after", "backlog"} <= set(moments):
            report.add(f"{name}", "not available")
            continue
        cpu = moments["after"]["cpu_s"] - moments["before"]["cpu_s"]
        each = (moments["one"]["highest_kb"] - moments["before"]["rss_kb"]) / terminals
        highest = moments["backlog"]["highest_kb"]
        total += highest
        report.add(name, f"{cpu:.1f} s CPU", span=f"{each:.1f} kB a terminal", interval=f"{highest / 1024:.0f} MiB at most")
    report.add("all together, with the backlogs", f"{total / 1024:,.0f} MiB", target="< 1024 MiB",
               met="yes" if total < 1024 * 1024 else "NO")


def main(arguments):
    if arguments[:1] == ["usage"] and len(arguments) == 3:
        return usage(*arguments[1:]) or 0
    if arguments[:1] == ["report"] and len(arguments) == 4:
        return report_all(*arguments[1:])
    print("usage: fleet_support.py usage|report ...  (called by fleet.sh)", file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
