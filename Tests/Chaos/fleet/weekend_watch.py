"""What the pages say while clocks are wrong: durations below 0, and points of the health score that a clock costs."""

import re
import time

DURATION = re.compile(r"(uptime|duration|latency|jitter|silence|age|elapsed|lasted)|(_s|_ms|_seconds)$")
NO_DURATION = re.compile(r"(offset|_at_ms|time_ms|until_ms)")
LISTS, PAGE = ("/nodes", "/positions", "/alerts"), 1000
# Nobody is lost and each broker with live terminals quotes, whatever our clock shows.
FACTORS = ("nodes", "quotes")
# The score is a second old at most, by the clock that was stepped: for so long it may be taken for an hour old.
SETTLED = 3.0


class Watch:
    """Findings over the whole line, and how much was looked at."""

    def __init__(self, mesh):
        self.mesh, self.negative, self.points = mesh, [], []
        self.looks, self.rows = 0, 0

    def stay(self, seconds, word):
        """Looks again and again for so long; `word` says what our clock is meanwhile."""
        began = time.monotonic()
        while True:
            self.durations()
            if time.monotonic() - began >= SETTLED:
                self.score(word)
            left = seconds - (time.monotonic() - began)
            if left <= 0:
                return
            time.sleep(min(1.0, left))

    def score(self, word):
        page = self.mesh.page("/health")[1]
        found = {factor.get("name"): factor for factor in page.get("health_factors") or []}
        for name in FACTORS:
            factor = found.get(name) or {}
            if factor.get("points") is None or factor.get("points") != factor.get("max_points"):
                self.points.append((word, name, factor.get("points"), factor.get("why")))
        if page.get("health_score_source") != "heartbeat-monitor":
            self.points.append((word, "score of", page.get("health_score_source")))

    def durations(self):
        """Below 0 on any page, each list to its end."""
        self.looks += 1
        for path in ("/health", "/services", "/version"):
            self._look(path, self.mesh.page(path)[1])
        for path in LISTS:
            for items in pages(self.mesh, path):
                self.rows += len(items)
                self._look(path, items)
        keys = sorted(self.mesh.state.keys("liveness:*"))
        for answer in self.mesh.state.pipeline([("HGETALL", key) for key in keys]) if keys else []:
            if isinstance(answer, list):
                self._look("liveness", dict(zip(answer[::2], answer[1::2])))

    def _look(self, where, value):
        if isinstance(value, dict):
            for name, part in value.items():
                self._look(f"{where}.{name}", part)
        elif isinstance(value, list):
            for part in value:
                self._look(where, part)
        else:
            name = where.rsplit(".", 1)[-1]
            if DURATION.search(name) and not NO_DURATION.search(name) and number(value) < 0:
                self.negative.append((where, value))


def pages(mesh, path):
    """A list in pages, to its end. A page that could not be read is none."""
    offset = 0
    while True:
        page = mesh.page(f"{path}?limit={PAGE}&offset={offset}")[1]
        items = page.get("items")
        if not isinstance(items, list):
            raise ValueError(f"{path} is no list: {str(page)[:200]}")
        yield items
        offset += len(items)
        if not items or offset >= page.get("total", 0):
            return


def number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
