"""One line of the fleet's table: its counts and checks; a line without its counts is not a pass."""

from counts import Line, show

# Every line says how much it was given, what was sent and lost in it, and what memory the mesh held in all.
NEEDED = ("scale", "sent", "lost", "memory_mb")


class FleetLine(Line):
    def __init__(self, report, number, title, needed):
        super().__init__(report, number, title)
        self.needed = (*NEEDED, *needed)
        self.skipped = None

    def skip(self, why):
        """It can't be played here: no pass, and no failure of the mesh's."""
        self.skipped = why
        self.report.skip(f"line 4.{self.number}", why)

    def check(self, what, condition, seen=None):
        good = self.report.check(f"line 4.{self.number}: {what}", condition, seen)
        self.good = self.good and good
        return good

    def finish(self, seconds):
        if self.skipped and self.good:
            text = f"fleet line 4.{self.number}: skipped: {self.skipped} ({self.title})"
            print(text, flush=True)
            return text
        missing = [name for name in self.needed if name not in self.counts]
        self.check("prints its counts", not missing, f"without {missing}")
        order = [*self.needed, *(name for name in self.counts if name not in self.needed)]
        words = ", ".join(f"{name} {show(self.counts.get(name, 'missing'))}" for name in order)
        verdict = "pass" if self.good else "FAILED"
        text = f"fleet line 4.{self.number}: {verdict}: {words}, took {seconds:.0f} s ({self.title})"
        print(text, flush=True)
        return text


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
