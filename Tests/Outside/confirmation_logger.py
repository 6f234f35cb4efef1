"""The built confirmation-logger, driven by terminals that share no code with it.

    python3 confirmation_logger.py PRODUCTS [--full] [--keep]

PRODUCTS is the folder of the executables. It has ports, state and a Redis of its own. Exit 0 when every check passed.
"""

import sys

import confirmation_addresses as addresses
import confirmation_chapters as chapters
import confirmation_faults as faults
import confirmation_speed as speed
import confirmation_storage as storage
from checks import Report
from confirmation_world import LoggerWorld


def main(arguments):
    names = [argument for argument in arguments if not argument.startswith("--")]
    if len(names) != 1:
        print(__doc__)
        return 64
    is_full = "--full" in arguments
    report = Report()
    world = LoggerWorld(names[0], report)
    try:
        world.start_redis()
        world.start()
        report.chapter("a golden trade", chapters.golden_trade, world)
        report.chapter("receipts", chapters.receipts, world)
        report.chapter("a witness and the terminal", chapters.merging, world)
        report.chapter("an estimate and the exact money", chapters.estimates, world)
        report.chapter("bad input", chapters.bad_input, world)
        report.chapter("foreign addresses", addresses.foreign_addresses, world)
        report.chapter("kill -9 of the logger", faults.kills, world, 10 if is_full else 3)
        report.chapter("Redis fails", faults.redis_faults, world)
        report.chapter("Redis is emptied", storage.rebuild, world)
        report.chapter("a foreign Redis", storage.foreign_redis, world)
        report.chapter("the disk is full", storage.full_disk, world)
        report.chapter("speed", speed.speed, world, 100_000 if is_full else 10_000)
        report.chapter("the end", speed.the_end, world)
    finally:
        world.close("--keep" in arguments or report.failed > 0)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
