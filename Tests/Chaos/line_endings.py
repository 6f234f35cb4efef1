"""Line 10: SIGTERM to all seven in random orders under load: each ends by itself, nothing is lost, nothing to mend."""

import signal
import time

from broken_mesh import exists, wait
from judgement import judge
from lag import LagWatch
from load import Load

TITLE = "SIGTERM in random orders under load"
WITHIN = 5.0
# The supervisor pauses a service that ended three times in a row within 10 s of its start.
CALM = 10.5


def play(line, mesh, dose):
    mesh.begin()
    rate = dose.of(1000, 2000)
    load = Load(mesh, dose.terminals, (rate, 10_000_000), (rate, 10_000_000), dose.seed, dose.processes)
    dose.keep(load)
    load.connect().go()
    watch = LagWatch(mesh)
    orders, slowest, bad, pauses = dose.of(3, 50), 0.0, [], 0
    for number in range(orders):
        # The small dose lets the fleet come back first.
        time.sleep(CALM if dose.of(True, number % 3 == 2) else dose.random.uniform(1, 2))
        names = dose.random.sample(mesh.SERVICES, len(mesh.SERVICES))
        for name, seconds, code in end_all(mesh, dose, names):
            slowest = max(slowest, seconds)
            if code != (0, 0) or seconds > WITHIN:
                bad.append((number, names, name, f"{seconds:.2f} s", f"exit code and signal {code}"))
        for name in names:
            mesh.wait_pid(name)
    wait(lambda: mesh.health()[1] in ("pass", "warn"), 30, "/health is good again by itself", pause=0.1)
    load.finish(stop=True)
    longest = watch.end()
    evidence = judge(line, mesh, load, catch_up_s=longest, orders=orders, slowest_exit_s=slowest)
    lost = evidence.lost_of(own=False)
    line.note(lost_5558=len(lost))
    line.none(f"of {7 * orders} ends those after {WITHIN:.0f} s or with another exit than 0", bad)
    line.none("lost on ea-confirmations", lost)


def end_all(mesh, dose, names):
    """(name, seconds until it had ended, (exit code, signal)) of each, told in this order with small pauses."""
    pids, told = {}, {}
    for name in names:
        pids[name] = mesh.wait_pid(name)
        told[name] = mesh.kill(name, signal.SIGTERM)
        mesh.kills.pop()
        time.sleep(dose.random.uniform(0, 0.2))
    ended = {}

    def all_ended():
        for name in names:
            if name not in ended and not exists(pids[name]):
                ended[name] = time.monotonic() - told[name]
        return len(ended) == len(names)
    try:
        wait(all_ended, 20, "all have ended", pause=0.005)
    except TimeoutError:
        pass
    rows = []
    for name in names:
        wait(lambda n=name: pids[n] in mesh.exits(n) or n not in ended, 5, f"the end of {name} is noted")
        rows.append((name, ended.get(name, 20.0), mesh.exits(name).get(pids[name])))
    return rows
