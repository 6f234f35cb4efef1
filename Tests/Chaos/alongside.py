"""Plays a line in a process of its own beside the others: one that waits most of its time and loads little."""

import os
import tempfile

from firing import FORK


class Alongside:
    """`body` prints and returns (its line of the table, passed, failed, skipped); it is shown when it is over."""

    def __init__(self, body):
        self.output = tempfile.TemporaryFile()
        self.pipe, theirs = FORK.Pipe()
        self.process = FORK.Process(target=self._work, args=(body, theirs))
        self.process.start()
        theirs.close()

    def _work(self, body, pipe):
        os.dup2(self.output.fileno(), 1)
        pipe.send(body())

    def join(self, report, within=1200):
        """Its line of the table; its checks are counted with ours."""
        try:
            row, *counts = self.pipe.recv() if self.pipe.poll(within) else (None, 0, 1, 0)
        except EOFError:
            row, counts = None, (0, 1, 0)
        self.process.join(30)
        self.output.seek(0)
        print(self.output.read().decode("utf-8", "replace"), end="", flush=True)
        report.passed, report.failed, report.skipped = (
            have + more for have, more in zip((report.passed, report.failed, report.skipped), counts))
        return row or "a line played alongside broke off"

    def end(self):
        if self.process.is_alive():
            # It cleans up after itself.
            self.process.terminate()
            self.process.join(30)
