"""Counts checks and prints one line each; nothing here knows the mesh."""

import sys
import threading
import time
import traceback


class Report:
    """Results of all chapters; chapters of several threads may write to it."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self._lock = threading.Lock()

    def check(self, title, condition, seen=None):
        with self._lock:
            if condition:
                self.passed += 1
                print(f"ok      {title}", flush=True)
            else:
                self.failed += 1
                print(f"FAILED  {title}: seen {str(seen)[:1500]}", flush=True)
        return bool(condition)

    def equal(self, title, seen, expected):
        return self.check(title, seen == expected, f"{seen!r}, expected {expected!r}")

    def skip(self, title, why):
        with self._lock:
            self.skipped += 1
            print(f"skipped {title}: {why}", flush=True)

    def chapter(self, title, body, *arguments):
        """Runs a chapter; what it throws is one failed check and does not end the story."""
        began = time.monotonic()
        with self._lock:
            print(f"-- {title}", flush=True)
        try:
            body(*arguments)
        except Exception as error:  # every error is a finding of this chapter
            place = traceback.extract_tb(error.__traceback__)[-1]
            self.check(f"{title}: runs to its end", False,
                       f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})")
        with self._lock:
            print(f"-- {title}: {time.monotonic() - began:.1f} s", flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.stdout.flush()
        return 0 if self.failed == 0 else 1
