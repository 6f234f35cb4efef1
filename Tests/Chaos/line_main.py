"""What the tables of faults have in common: flags, products, signals, and the table at the end."""

import argparse
import os
import random
import signal
import sys

from checks import Report
from private_mesh import ROOT


class Dose:
    """How much a line is given; the full one is what the table says."""

    def __init__(self, full, seed):
        self.full, self.seed = full, seed
        self.random = random.Random(seed)
        self.helpers = []

    def of(self, small, full):
        return full if self.full else small

    def keep(self, helper):
        """Ends with the line, however that ends; it has `kill()`."""
        self.helpers.append(helper)

    def end(self):
        for helper in self.helpers:
            helper.kill()
        self.helpers.clear()


def place(error):
    frames, entry = [], error.__traceback__
    while entry:
        frames.append(f"{os.path.basename(entry.tb_frame.f_code.co_filename)}:{entry.tb_lineno}")
        entry = entry.tb_next
    return " at " + " < ".join(reversed(frames))


def main(script, what, document, lines, scales, play_all):
    """Plays the lines and returns the exit code. Without lines it is one story, of which none can be left out.

    `scales` are the texts of the small and the full dose; `play_all` gets (arguments, report, products) and returns
    the table's rows.
    """
    parser = argparse.ArgumentParser(prog=script, description=document.split("\n", maxsplit=1)[0])
    parser.add_argument("--full", action="store_true", help="the full dose of the table")
    if lines:
        parser.add_argument("--line", type=int, action="append", choices=sorted(lines), help="only this line")
    parser.add_argument("--seed", type=int, default=20260105)
    parser.add_argument("--keep", action="store_true", help="keep state and logs of a line that failed")
    arguments = parser.parse_args()
    products = os.environ.get("MESH_PRODUCTS") or os.path.join(ROOT, ".build", "release")
    report = Report()
    if not os.access(os.path.join(products, "meshctl"), os.X_OK):
        report.skip(what, f"there is no {products}/meshctl: build first, or set MESH_PRODUCTS")
        return report.finish()
    print(f"seed {arguments.seed}, {'full' if arguments.full else 'small'} dose, products of {products}", flush=True)
    print(scales[arguments.full], flush=True)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, interrupted)
    table = play_all(arguments, report, products)
    print("\n" + "\n".join(table), flush=True)
    return report.finish()


def interrupted(number, _):
    for other in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


def leave(code):
    """At once: no thread of a line that failed is waited for."""
    sys.stdout.flush()
    os._exit(code)
