"""How far books and tracker are behind the journal, all the time: the longest catch-up is what an operator waits."""

import threading
import time
from collections import deque

from journal_reader import JournalTail
from state import State

PAUSE = 0.1


class LagWatch:
    """Samples the journal's end and the stream's, and how long each took to be booked and taken over.

    While Redis does not answer nothing can catch up: the time counts from its first answer after that.
    """

    def __init__(self, mesh):
        self.mesh = mesh
        self.state = State(mesh.ports["state"], timeout=2.0)
        self.tail = JournalTail(mesh.journal)
        self.booked = self.taken = 0.0
        self.outages = 0
        self._back_at = 0.0
        self._is_away = False
        self._frames, self._entries = deque(), deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._stop.wait(PAUSE):
            now = time.monotonic()
            newest = self.tail.look()
            if not self._frames or self._frames[-1][1] < newest:
                self._frames.append((now, newest))
            try:
                self._compare(now)
            except (OSError, EOFError, ValueError, TypeError):
                # Gone, or still loading: an error stands where an answer is due.
                self.outages += not self._is_away
                self._is_away = True
        self.state.close()

    def _compare(self, now):
        marks, groups, stream = self.state.pipeline([
            ("HGETALL", "journal:state"), ("XINFO", "GROUPS", "events:trades"), ("XINFO", "STREAM", "events:trades")])
        # Whoever is still loading answers with errors: that is not an answer yet.
        if isinstance(marks, Exception):
            raise ValueError(marks)
        if self._is_away:
            self._is_away, self._back_at = False, time.monotonic()
        marks = dict(zip(marks[::2], marks[1::2]))
        self.booked = max(self.booked, self._behind(self._frames, int(marks.get("applied_seq", 0)), now))
        if isinstance(groups, list) and isinstance(stream, list):
            newest = place(dict(zip(stream[::2], stream[1::2]))["last-generated-id"])
            if not self._entries or self._entries[-1][1] < newest:
                self._entries.append((now, newest))
            self.taken = max(self.taken, self._behind(self._entries, self._acknowledged(groups), now))

    def _acknowledged(self, groups):
        """The place in the stream before which every group acknowledged everything."""
        lowest = None
        for group in (dict(zip(flat[::2], flat[1::2])) for flat in groups):
            at = place(group["last-delivered-id"])
            if group["pending"]:
                oldest = self.state.ask("XPENDING", "events:trades", group["name"])[1]
                at = (place(oldest)[0], place(oldest)[1] - 1) if oldest else at
            lowest = at if lowest is None else min(lowest, at)
        return lowest or (0, 0)

    def _behind(self, samples, reached, now):
        """How long the oldest sample that is not reached waits, or the newest reached one had to."""
        longest = 0.0
        while samples and samples[0][1] <= reached:
            longest = max(longest, now - max(samples.popleft()[0], self._back_at))
        if samples:
            longest = max(longest, now - max(samples[0][0], self._back_at))
        return longest

    def end(self):
        if not self._thread.is_alive():
            raise RuntimeError("the watch over the lag broke off")
        self._stop.set()
        self._thread.join(5)
        return max(self.booked, self.taken)


def place(identifier):
    first, _, second = identifier.partition("-")
    return int(first), int(second)
