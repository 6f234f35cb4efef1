"""Line 3: Redis is killed, frozen and restarted under load."""

import os
import signal
import time

from broken_mesh import REDIS, wait
from judgement import judge
from lag import LagWatch
from load import Load

TITLE = "Redis killed, frozen, restarted"
WITHIN = 30.0
# The supervisor pauses what ended three times in a row within 10 s of its start: no line could catch up with that.
CALM = 10.5


def play(line, mesh, dose):
    mesh.begin()
    kills, freezes, restarts = dose.of((2, 1, 1), (20, 5, 3))
    # The full dose has time: what two cores take while a frozen Redis is caught up with.
    count = dose.of(10_000_000, 500_000)
    load = Load(mesh, dose.terminals, (1000, count), (1000, count), dose.seed, dose.processes)
    dose.keep(load)
    load.connect().go()
    watch = LagWatch(mesh)
    time.sleep(1)
    faults = [kill] * kills + [freeze] * freezes + [restart] * restarts
    dose.random.shuffle(faults)
    for number, fault in enumerate(faults):
        fault(mesh, dose)
        wait(mesh.state.answers, 60, "Redis answers")
        time.sleep(dose.of(1.5, CALM if number % 2 else dose.random.uniform(4, 9)))
    load.finish(stop=not dose.full)
    longest = watch.end()
    settled = mesh.settle()
    evidence = judge(line, mesh, load, kills=kills, freezes=freezes, restarts=restarts,
                     freeze_s=dose.of(3, 10), outages_seen=watch.outages, catch_up_s=max(longest, settled))
    line.none("lost on ea-confirmations", evidence.lost_of(own=False))
    line.check(f"caught up within {WITHIN:.0f} s of every return of Redis", max(longest, settled) <= WITHIN,
               (watch.booked, watch.taken, settled))


def kill(mesh, _):
    mesh.kill(REDIS)
    wait(lambda: not mesh.state.answers(), 5, "Redis is gone")


def freeze(mesh, dose):
    pid = mesh.wait_pid(REDIS)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(dose.of(3, 10))
    os.kill(pid, signal.SIGCONT)


def restart(mesh, _):
    """An orderly end; the supervisor starts it again."""
    before = mesh.wait_pid(REDIS)
    os.kill(before, signal.SIGTERM)
    mesh.wait_pid(REDIS, other_than=before)
