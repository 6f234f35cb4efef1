"""The fleet's faults, counted: Tests/Chaos/run_fleet.sh [--full] [--line N] [--seed S] [--keep].

Only Debian's python3-zmq is needed beside redis-server. One line a count, at the end the table.
"""

import time

import fleet_causes
import fleet_families
import fleet_flood
import fleet_half_open
import fleet_neighbours
import fleet_outage
import fleet_slow
import fleet_strangers
import fleet_weekend
from alongside import Alongside
from checks import Report
from fleet_line import FleetLine
from fleet_mesh import FleetMesh
from line_main import Dose, leave, main, place

LINES = {1: fleet_outage, 2: fleet_half_open, 3: fleet_neighbours, 4: fleet_strangers, 5: fleet_slow, 6: fleet_flood,
         7: fleet_weekend, 8: fleet_causes, 9: fleet_families}
# In the small dose line 8, which waits most of its time, runs beside all others, and line 7 beside those that don't
# measure.
LONGEST, MEASURING, PATIENT = 8, (5, 6), 7

FULL = "scale: all of the table's terminals, groups, strangers and rates; on one machine, terminals beside the mesh"
SMALL = ("scale: 1,000 terminals of 5,000 with 200 queued frames of 1,000; 100 half-open of 500; 100 groups of 1,000; "
         "100 strangers of 1,000; 40 s of a slow subscriber; 1,000 beside a flood of 5,000; 300 over a weekend of "
         "3,000; 500 with 40 lost of 5,000 with 400")


def play(number, arguments, report, products):
    module = LINES[number]
    dose = Dose(arguments.full, arguments.seed)
    line = FleetLine(report, number, module.TITLE, module.NEEDED)
    began = time.monotonic()
    mesh = getattr(module, "make_mesh", FleetMesh)(products)
    print(f"-- line 4.{number}: {module.TITLE}; seed {arguments.seed}; mesh in {mesh.directory}", flush=True)
    try:
        module.play(line, mesh, dose)
    except Exception as error:  # what a line throws is its failure and not the others'
        line.check("runs to its end", False, f"{type(error).__name__}: {error}{place(error)}")
    finally:
        dose.end()
        mesh.end(keep=not line.good and arguments.keep)
    return line.finish(time.monotonic() - began)


def play_all(arguments, report, products):
    """The rows of the table."""
    if arguments.full or arguments.line:
        return [play(number, arguments, report, products) for number in arguments.line or sorted(LINES)]

    def alone(number):
        own = Report()
        return play(number, arguments, own, products), own.passed, own.failed, own.skipped
    beside = {LONGEST: Alongside(lambda: alone(LONGEST))}
    try:
        table = {number: play(number, arguments, report, products) for number in MEASURING}
        beside[PATIENT] = Alongside(lambda: alone(PATIENT))
        for number in sorted(set(LINES) - {LONGEST, PATIENT, *MEASURING}):
            table[number] = play(number, arguments, report, products)
        for number, helper in beside.items():
            table[number] = helper.join(report)
    finally:
        for helper in beside.values():
            helper.end()
    return [table[number] for number in sorted(table)]


if __name__ == "__main__":
    leave(main("Tests/Chaos/run_fleet.sh", "the fleet's faults", __doc__, LINES, (SMALL, FULL), play_all))
