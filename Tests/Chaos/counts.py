"""One line of the table of faults: its counts, and whether it passed. A line without its counts is not a pass."""

NEEDED = ("sent", "journaled", "applied", "lost", "double", "unknown", "kills", "catch_up_s", "memory_mb")


class Line:
    """Counts of one line, and its checks; `report` is Tests/Outside's."""

    def __init__(self, report, number, title):
        self.report, self.number, self.title = report, number, title
        self.counts = {}
        self.good = True

    def note(self, **counts):
        self.counts.update(counts)

    def check(self, what, condition, seen=None):
        good = self.report.check(f"line {self.number}: {what}", condition, seen)
        self.good = self.good and good
        return good

    def equal(self, what, seen, expected):
        return self.check(what, seen == expected, f"{seen!r}, expected {expected!r}")

    def none(self, what, found):
        """A list of findings that must be empty; its length and first entries are shown."""
        return self.check(f"{what} 0", not found, f"{len(found)}: {list(found)[:5]!r}")

    def finish(self, seconds):
        missing = [name for name in NEEDED if name not in self.counts]
        self.check("prints its counts", not missing, f"without {missing}")
        order = [*NEEDED, *(name for name in self.counts if name not in NEEDED)]
        words = ", ".join(f"{name} {show(self.counts.get(name, 'missing'))}" for name in order)
        verdict = "pass" if self.good else "FAILED"
        text = f"chaos line {self.number}: {verdict}: {words}, took {seconds:.0f} s ({self.title})"
        print(text, flush=True)
        return text


def show(value):
    if isinstance(value, float):
        return f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
