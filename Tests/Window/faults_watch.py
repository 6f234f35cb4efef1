"""What the page, /health and the port of alerts say while something is broken, and when they have forgotten it."""

import re
import time

from fleet_mesh import wait

# What the page says is wrong, why the score is not 100, what it lost, and which alerts are active.
SEEN = """['#lost:not([hidden])', '#reasons', '#factors', '#alerts']
    .map((one) => document.querySelector(one)?.innerText ?? '').join('\\n')"""
SPACE = re.compile(r"\s+")


class Watch:
    """One row for each fault. Whoever inherits from it has `report`, `mesh`, `alerts` and `page`."""

    def __init__(self, report, mesh):
        self.report, self.mesh = report, mesh
        self.alerts = self.page = None
        self.rows, self.before, self.began = [], set(), 0.0
        # Alerts of a fault that goes on beside others.
        self.beside = set()

    def health(self):
        """(HTTP status, everything /health says of what is wrong and why the score is not 100)"""
        status, page = self.mesh.page("/health")
        reasons = [reason.get("message", "") for reason in page.get("reasons", [])]
        return status, "\n".join(reasons + [str(factor.get("why")) for factor in page.get("health_factors", [])
                                            if factor.get("points") != factor.get("max_points")])

    def new(self, before):
        """Alerts that began since then, of which somebody is told."""
        return [row for name, row in self.alerts.ids().items() if name not in before
                and row.get("severity") != "info" and row.get("type") not in self.beside]

    def look(self, name, words, told, within=30.0, health=True):
        """Waits until all three name the cause; returns the row of the table. `told` is false where nobody can tell."""
        before, began = self.before, self.began
        row = {"fault": name, "health": "", "page": "", "alert": ""}
        found = re.compile(words)

        def health_says():
            status, text = self.health()
            line = next((line for line in text.split("\n") if found.search(line)), "")
            return line and f"{status} {line}"

        def page_says():
            text = self.page.value(SEEN) or ""
            return next((line for line in text.split("\n") if found.search(line)), "")

        def alert_says():
            return next((f"{one.get('type')}: {one.get('message')}" for one in self.new(before)
                         if found.search(str(one.get("message")))), "")
        ways = {"page": page_says}
        if health:
            ways["health"] = health_says
        if told:
            ways["alert"] = alert_says
        seconds = {}
        while len(seconds) < len(ways) and time.monotonic() - began < within:
            for way, says in ways.items():
                row[way] = row[way] or says()
                if row[way]:
                    seconds.setdefault(way, time.monotonic() - began)
            time.sleep(0.1)
        for way in ways:
            self.report.check(f"{name}: {way} names it", row[way], self.health() if way == "health" else
                              (self.page.value(SEEN) if way == "page" else self.new(before)))
        row["seconds"] = {way: round(took, 1) for way, took in seconds.items()}
        row["after"] = max(seconds.values(), default=0.0)
        self.rows.append(row)
        return row

    def mark(self):
        self.before, self.began = set(self.alerts.ids()), time.monotonic()

    def over(self, name, words, count, within=60.0):
        """It is gone from /health and the page, and each alert of it was resolved, once."""
        found, before = re.compile(words), self.before
        gone = wait_for(lambda: not found.search(self.health()[1]) and self.mesh.page("/health")[0] == 200, within)
        self.report.check(f"{name}: /health forgets it", gone, self.health())
        gone = wait_for(lambda: not found.search(self.page.value(SEEN) or ""), within)
        self.report.check(f"{name}: the page forgets it", gone, self.page.value(SEEN))
        mine = self.new(before)
        self.report.check(f"{name}: alerts: {count}", len(mine) == count,
                          [(one.get("type"), one.get("message")) for one in mine])
        wait_for(lambda: all(self.alerts.resolved(one["alert_id"]) for one in mine), within)
        ends = [len(self.alerts.resolved(one["alert_id"])) for one in mine]
        self.report.check(f"{name}: resolved once", all(number == 1 for number in ends), ends)
        self.rows[-1].update(alerts=len(mine), resolved=sum(ends), all=time.monotonic() - self.began)

    def table(self):
        head = ("fault", "named after", "alerts", "resolved", "/health", "the page", "the alert")
        lines = [head]
        for row in self.rows:
            cells = [row["fault"], f"{row['after']:.1f} s", str(row.get("alerts", "")), str(row.get("resolved", ""))]
            lines.append((*cells, *(SPACE.sub(" ", row[way])[:70] or "-" for way in ("health", "page", "alert"))))
        widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def wait_for(condition, within):
    try:
        return bool(wait(condition, within, "", pause=0.1))
    except TimeoutError:
        return False
