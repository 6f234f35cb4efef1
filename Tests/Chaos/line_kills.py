"""Line 2: any of the seven dies by kill -9 every 1 to 3 s under load, while real fires are answered; then answers fall into
the death of the logger and of the process that holds its connections, by design."""

import time

import bare_process
import lost_answers
from judgement import judge
from lag import LagWatch
from load import Load
from volleys import Volleys

TITLE = "kill -9 of any of the seven every 1 to 3 s"
# Of all, whenever they were sent. A bare process with as many connections, killed the same way, loses some: what had arrived
# and was not read, and what is sent into its sockets while the kernel tears it down; that is printed beside ours.
MOST_LOST_A_KILL = 10
# What was sent within this before the kill was still on its way from one process to the other, on two busy cores.
ON_ITS_WAY = 0.005
# Seconds from the kill in which the kernel may still take messages.
TEARDOWN = 0.25
# What the full dose sends at least: on ea-confirmations and on ea-receipts, each a little more than its share.
MESSAGES, PUSHED, ANSWERED = 1_000_000, 667_000, 334_000
# What was sent while the logger was away goes when it is back, and may then fall into the next kill.
LONGEST_AWAY = 5.0


def play(line, mesh, dose):
    mesh.begin()
    pushed, answered = (2000, dose.of(10_000_000, PUSHED)), (dose.of(500, 1000), dose.of(2_500_000, ANSWERED))
    load = Load(mesh, dose.terminals, pushed, answered, dose.seed, dose.processes)
    dose.keep(load)
    load.connect().go()
    volleys = Volleys(mesh, dose).begin()
    watch = LagWatch(mesh)
    time.sleep(1)
    for name in victims(mesh, dose):
        strike(mesh, dose, name, volleys)
        is_loaded = not load.is_over
    line.check("the load still ran at the last kill", is_loaded)
    time.sleep(2)
    # In the full dose it goes on until all is sent.
    load.finish(stop=not dose.full)
    longest = watch.end()
    if dose.full:
        line.check(f"at least {MESSAGES:,} confirmations were sent", load.sent() >= MESSAGES, load.sent())
    volleys.finish(line)
    evidence = judge(line, mesh, load, catch_up_s=longest)
    by_kill, all_by_kill, unexplained, offsets = blame(mesh, evidence)
    line.none("lost on ea-confirmations without the logger's death", unexplained)
    worst = max(by_kill.values(), default=0)
    span = f"sent {min(offsets, default=0):.0f} to {max(offsets, default=0):.0f} ms from the kill"
    line.check(f"lost on ea-confirmations at most {MOST_LOST_A_KILL} a kill of the logger, "
               f"at {load.rate(own=False):.0f}/s, of what had arrived", worst <= MOST_LOST_A_KILL,
               f"{sorted(by_kill.values())}, {span}")
    line.check(f"lost on ea-confirmations at most {MOST_LOST_A_KILL} a kill of the logger, whenever they were sent",
               max(all_by_kill.values(), default=0) <= MOST_LOST_A_KILL, f"{sorted(all_by_kill.values())}, {span}")
    line.note(logger_kills=len(by_kill), lost_worst_kill=worst,
              lost_on_the_way=sum(-ON_ITS_WAY * 1000 <= offset <= 0 for offset in offsets),
              lost_into_teardown=sum(offset > 0 for offset in offsets), teardown_ms=round(max(offsets, default=0)))
    bare_process.play(line, dose, dose.terminals, load.rate(own=False))
    line.note(lost_mean_a_kill=len(evidence.lost_of(own=False)) / max(1, len(by_kill)))
    line.note(**lost_answers.play(line, mesh, dose))


def victims(mesh, dose):
    """In the small dose the two that hold trades die for sure, whatever the dice say."""
    count = dose.of(6, 100)
    names = ["confirmation-logger", "position-tracker", "confirmation-logger"]
    names += dose.random.choices(mesh.SERVICES, k=count - len(names))
    dose.random.shuffle(names)
    return names


def strike(mesh, dose, name, volleys):
    """Kills it, and waits 1 to 3 s. One that is not back yet (the supervisor pauses) leaves its place to another."""
    choice = [name] + dose.random.sample(mesh.SERVICES, len(mesh.SERVICES))
    ready = next((one for one in choice if mesh.pid(one)), name)
    if ready == "confirmation-logger":
        volleys.volley()
    mesh.kill(ready)
    time.sleep(dose.random.uniform(1, 3))


def blame(mesh, evidence):
    """(those that had arrived and were lost by a kill of the logger, for each; all that it lost; those lost at no such time;
    when all that were lost were sent, in ms from the kill)."""
    moments = [moment for moment, name, _ in mesh.kills if name == "confirmation-logger"]
    by_kill, all_by_kill = dict.fromkeys(moments, 0), dict.fromkeys(moments, 0)
    unexplained, offsets = [], []
    for what in evidence.lost_of(own=False):
        sent = evidence.when(what)
        # A message is lost by the kill nearest to it, and by none that was over before it was sent.
        kill = min((moment for moment in moments if -TEARDOWN <= moment - sent <= LONGEST_AWAY),
                   key=lambda moment, at=sent: abs(moment - at), default=None)
        if kill is not None:
            by_kill[kill] += sent < kill - ON_ITS_WAY
            all_by_kill[kill] += 1
            offsets.append((sent - kill) * 1000)
        else:
            unexplained.append((what, [round(moment - sent, 2) for moment in moments]))
    return by_kill, all_by_kill, unexplained, offsets
