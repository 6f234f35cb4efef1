"""What breaks, and whether /health and the page name the right cause: a table in the test's output."""

import json
import os
import signal
import time

BRIEF = "document.querySelector('#reasons')?.innerText ?? ''"


def run(report, world):
    report.chapter("faults are named by their cause", faults, report, world)


def faults(report, world):
    mesh = world.mesh
    page = world.browser.page()
    page.open(world.address())
    page.until("document.querySelector('#pulse')?.textContent === 'live'")
    table = []
    for name in mesh.SERVICES:
        if name != "health-dashboard":
            pid = mesh.service(name).get("pid")
            table.append(freeze(report, mesh, page, name, pid, f"{name} has not reported"))
    pid = mesh.redis_pid()
    table.append(freeze(report, mesh, page, "redis", pid, "Redis does not answer"))
    width = max(len(row[0]) for row in table)
    print(
        "\n".join(
            f"        {name.ljust(width)}  {seconds:5.1f} s  {status:4}  {cause}"
            for name, seconds, status, cause in table
        ),
        flush=True,
    )
    with open(os.path.join(world.output, "faults.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{name}\t{seconds:.1f} s\t{status}\t{cause}\n" for name, seconds, status, cause in table)
    page.close()


def freeze(report, mesh, page, name, pid, words):
    """Stops a process without ending it, as a hang does; the supervisor does not see that."""
    if not pid:
        report.check(f"{name}: it has a pid", False)
        return name, 0.0, "?", "no pid"
    began = time.monotonic()
    os.kill(int(pid), signal.SIGSTOP)
    try:
        status, cause = 0, ""
        while time.monotonic() - began < 20:
            status, health = mesh.page("/health")
            cause = next((r["message"] for r in health.get("reasons", []) if words in r["message"]), "")
            if cause:
                break
            time.sleep(0.1)
        seconds = time.monotonic() - began
        report.check(f"{name} hangs: /health names it", bool(cause), json.dumps(health.get("reasons"))[:400])
        report.check(
            f"{name} hangs: the page names it",
            page.until(f"({BRIEF}).includes({json.dumps(words)})", 8),
            page.value(BRIEF),
        )
        if name == "redis":
            report.check(
                "redis hangs: the page says that its figures are old",
                page.until("!document.querySelector('#lost').hidden", 8),
                page.text("#lost"),
            )
    finally:
        os.kill(int(pid), signal.SIGCONT)
    report.check(
        f"{name}: all is well again", page.until(f"!({BRIEF}).includes({json.dumps(words)})", 25), page.value(BRIEF)
    )
    return name, seconds, status, cause
