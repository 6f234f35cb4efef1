"""The built citadel-monitor, asked and fed by a program that shares no code with it.

    python3 citadel_monitor.py PRODUCTS

PRODUCTS is the folder of the executables. It has ports, state and a Redis of its own. Exit 0 when every check passed.
"""

import sys

import citadel_endurance
from checks import Report


def main(arguments):
    if len(arguments) != 1:
        print(__doc__)
        return 64
    report = Report()
    citadel_endurance.alone(arguments[0], report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
