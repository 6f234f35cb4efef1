"""The load: thousands of terminals in several processes of their own, and the record of what they sent."""

import array
import multiprocessing
import signal
import time

import senders
from terminals import OWN, fleet

FORK = multiprocessing.get_context("fork")


class Load:
    """`pushed` and `answered` are (messages a second, messages) of the ports `ea-confirmations` and `ea-receipts`."""

    def __init__(self, mesh, terminals, pushed, answered, seed, processes=2):
        share = answered[1] / (pushed[1] + answered[1])
        self.terminals = fleet(terminals, share, seed)
        self.workers = []
        self.began = self.seconds = None
        self.record = {}
        endpoints = {name: mesh.endpoint(name) for name in ("ea-confirmations", "ea-receipts", "ea-telemetry")}
        for place in range(processes):
            part = [[t for t in self.terminals if (t.version == OWN) == is_own][place::processes]
                    for is_own in (False, True)]
            of_all = [len(part[n]) / max(1, sum((t.version == OWN) == bool(n) for t in self.terminals))
                      for n in (0, 1)]
            ours, theirs = FORK.Pipe()
            worker = FORK.Process(
                target=work, daemon=True,
                args=(theirs, part[0] + part[1], endpoints, [pushed[0] * of_all[0], answered[0] * of_all[1]],
                      [round(pushed[1] * of_all[0]), round(answered[1] * of_all[1])], seed + place))
            worker.start()
            theirs.close()
            self.workers.append((worker, ours))

    def connect(self):
        for _, pipe in self.workers:
            if not pipe.poll(60):
                raise TimeoutError("the terminals do not connect")
            pipe.recv()
        return self

    def go(self):
        for _, pipe in self.workers:
            pipe.send("go")
        self.began = time.monotonic()
        return self

    @property
    def is_over(self):
        """Whether the targets are reached and everything is answered."""
        return all(pipe.poll() or not worker.is_alive() for worker, pipe in self.workers)

    def finish(self, stop=False, within=1800):
        """Waits for the records of all; `stop` says that enough was sent."""
        if stop:
            for _, pipe in self.workers:
                pipe.send("stop")
        slowest = 0.0
        for worker, pipe in self.workers:
            if not pipe.poll(within):
                raise TimeoutError("a sender does not come to its end")
            seconds, record = pipe.recv()
            slowest = max(slowest, seconds)
            self.record.update(record)
            worker.join(30)
        self.seconds = slowest
        return self

    def kill(self):
        """For a line that broke off: no sender outlives it."""
        for worker, _ in self.workers:
            if worker.is_alive():
                worker.kill()
                worker.join(5)

    # -- the senders' own record

    def sent(self, own=None):
        return sum(self.record[t.number][0] for t in self.terminals if own is None or (t.version == OWN) == own)

    def rate(self, own):
        return self.sent(own) / max(self.seconds, 0.001)

    def unanswered(self):
        return sum(self.record[t.number][0] - self.record[t.number][1] for t in self.terminals if t.version == OWN)

    def total(self, name):
        return sum(self.record[t.number][3][name] or 0 for t in self.terminals if t.version == OWN)

    def refused(self):
        return [answer for t in self.terminals for answer in self.record[t.number][3]["refused"] or []]

    def moment(self, number, index):
        """When a message was first handed to libzmq."""
        times = array.array("d")
        times.frombytes(self.record[number][2])
        return times[index]


def work(pipe, *arguments):
    # The parent cleans up; an interrupt from the keyboard reaches all of them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    senders.run(pipe, *arguments)
