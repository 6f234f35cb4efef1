"""Breaks the mesh in every way of the table of faults, and counts: Tests/Chaos/run.sh [--full] [--line N] [--seed S].

Only Debian's python3-zmq is needed beside redis-server. One line a count, at the end the table.
"""

import argparse
import os
import random
import signal
import sys
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
from private_mesh import ROOT

# 6 and 8 are the Swift suites with Chaos in their names.
LINES = {1: line_confirmations, 2: line_kills, 3: line_state, 4: line_start, 5: line_disk, 7: line_slots,
         9: line_dialogues, 10: line_endings}

FULL = ("scale: all of the table's terminals, confirmations, kills, freezes, attempts and orders; in time as two cores "
        "bear it beside those who send: 3,000 to 4,000 messages and 800 attempts a second")
SMALL = ("scale: 2,000 terminals; 20,000 confirmations of 1,000,000; 6 kills of 100; of Redis 2 kills of 20, 1 freeze "
         "of 3 s of 5 of 10 s, 1 restart of 3; for the disk 5,000 of 200,000; 3,000 attempts of 300,000 with 3 kills "
         "of 50 and 1 of 10; 4 orders of 50")


class Dose:
    """How much a line is given; the full one is what the table says, in the time two cores need for it."""

    def __init__(self, full, seed):
        self.full, self.seed = full, seed
        self.random = random.Random(seed)
        self.terminals = 2000
        self.processes = 4 if full else 2
        self.loads = []

    def of(self, small, full):
        return full if self.full else small

    def keep(self, load):
        self.loads.append(load)

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
        for load in dose.loads:
            load.kill()
        dose.loads.clear()
        mesh.end(keep=not line.good and arguments.keep)
    return line.finish(time.monotonic() - began)


def place(error):
    frames, entry = [], error.__traceback__
    while entry:
        frames.append(f"{os.path.basename(entry.tb_frame.f_code.co_filename)}:{entry.tb_lineno}")
        entry = entry.tb_next
    return " at " + " < ".join(reversed(frames))


def main():
    parser = argparse.ArgumentParser(prog="Tests/Chaos/run.sh", description=__doc__.split("\n")[0])
    parser.add_argument("--full", action="store_true", help="the full dose of the table")
    parser.add_argument("--line", type=int, action="append", choices=sorted(LINES), help="only this line")
    parser.add_argument("--seed", type=int, default=20260105)
    parser.add_argument("--keep", action="store_true", help="keep state and logs of a line that failed")
    arguments = parser.parse_args()
    products = os.environ.get("MESH_PRODUCTS") or os.path.join(ROOT, ".build", "release")
    report = Report()
    if not os.access(os.path.join(products, "meshctl"), os.X_OK):
        report.skip("the faults", f"there is no {products}/meshctl: build first, or set MESH_PRODUCTS")
        return report.finish()
    print(f"seed {arguments.seed}, {'full' if arguments.full else 'small'} dose, products of {products}", flush=True)
    print(FULL if arguments.full else SMALL, flush=True)

    def interrupted(number, _):
        for other in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, interrupted)
    table = play_all(arguments, report, products)
    print("\n" + "\n".join(table), flush=True)
    return report.finish()


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
    code = main()
    sys.stdout.flush()
    os._exit(code)
