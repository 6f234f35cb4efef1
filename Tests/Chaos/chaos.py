"""Breaks the mesh in every way of the table of faults, and counts: Tests/Chaos/run.sh [--full] [--line N] [--seed S].

Only Debian's python3-zmq is needed beside redis-server. One line a count, at the end the table.
"""

import time

import line_confirmations
import line_dialogues
import line_disk
import line_endings
import line_kills
import line_slots
import line_start
import line_state
from alongside import Alongside
from broken_mesh import BrokenMesh
from checks import Report
from counts import Line
from line_main import Dose as AnyDose
from line_main import leave, main, place

# 6 and 8 are the Swift suites with Chaos in their names.
LINES = {1: line_confirmations, 2: line_kills, 3: line_state, 4: line_start, 5: line_disk, 7: line_slots,
         9: line_dialogues, 10: line_endings}

FULL = ("scale: all of the table's terminals, confirmations, kills, freezes, attempts and orders; in time as two cores "
        "bear it beside those who send: 3,000 to 4,000 messages a second, 2,000 in line 3, 1,400 in line 5, 600 attempts "
        "in line 7; the 100 kills of line 2 fall into the first 3 to 5 minutes of its million; in line 3 every second fault "
        "is followed by 10.5 s without one, in line 7 kills come in pairs 3 s apart: the supervisor pauses what ends "
        "three times in a row within 10 s of its start, which line 3 provokes by itself")
SMALL = ("scale: 2,000 terminals; 20,000 confirmations of 1,000,000; 6 kills of 100; of Redis 2 kills of 20, 1 freeze "
         "of 3 s of 5 of 10 s, 1 restart of 3; for the disk 5,000 of 200,000; 3,000 attempts of 300,000 with 3 kills "
         "of 50 and 1 of 10; 4 orders of 50")


class Dose(AnyDose):
    """The full one is what the table says, in the time two cores need for it."""

    def __init__(self, full, seed):
        super().__init__(full, seed)
        self.terminals = 2000
        self.processes = 4 if full else 2
        self.loads = self.helpers

    # Line 1: how many, and how many a second.

    def pushed(self, share):
        return self.of(2000, 2000), int(self.of(20_000, 1_000_000) * share)

    def answered(self, share):
        return self.of(2000, 2000), int(self.of(20_000, 1_000_000) * share)


def play(number, arguments, report, dose, products):
    module = LINES[number]
    line = Line(report, number, module.TITLE)
    began = time.monotonic()
    mesh = BrokenMesh(products)
    print(f"-- line {number}: {module.TITLE}; mesh in {mesh.directory}", flush=True)
    try:
        module.play(line, mesh, dose)
    except Exception as error:  # what a line throws is its failure and not the others'
        line.check("runs to its end", False, f"{type(error).__name__}: {error}{place(error)}")
    finally:
        dose.end()
        mesh.end(keep=not line.good and arguments.keep)
    return line.finish(time.monotonic() - began)


def play_all(arguments, report, products):
    """The rows of the table. In the small dose line 7, which waits for deadlines most of its time, runs beside the
    others."""
    def one(number, into):
        return play(number, arguments, into, Dose(arguments.full, arguments.seed), products)

    def seven():
        own = Report()
        return one(7, own), own.passed, own.failed, own.skipped
    if arguments.full or arguments.line:
        return [one(number, report) for number in arguments.line or sorted(LINES)]
    beside = Alongside(seven)
    try:
        table = {number: one(number, report) for number in sorted(LINES) if number != 7}
        table[7] = beside.join(report)
    finally:
        beside.end()
    return [table[number] for number in sorted(table)]


if __name__ == "__main__":
    leave(main("Tests/Chaos/run.sh", "the faults", __doc__, LINES, (SMALL, FULL), play_all))
