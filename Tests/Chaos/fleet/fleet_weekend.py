"""Line 7: the close, a clock change over the weekend, our own clock stepped an hour, the opening; nobody cries wolf.

The mesh's wall clock is shifted by a library under it; the time that passes is real, so the weekend's hours are skipped
while all stand still. All 48 of them pass minute by minute in the Swift suite WeekendProofTests, on the same engines.
"""

import calendar
import os
import re
import shutil
import struct
import subprocess
import time

from crowd import Crowd, Remote
from direct_mesh import DirectMesh
from fleet_mesh import Alerts, Desk, wait
from people import Person

TITLE = "a weekend, a clock change, brokers at +2 and +3 h, our clock stepped an hour"
NEEDED = ("terminals", "brokers", "slots_freed", "false_alarms", "right_alarms", "negative_durations", "clock_steps",
          "hours_skipped")
HOUR = 3600
# New York's summer ends in this weekend, so it has 49 hours; brokers 0 to 2 follow, the others do not.
FRIDAY, SUNDAY = "2026-10-30 20:59:30", "2026-11-01 21:59:20"
BROKERS, OPEN_ALWAYS, PULLED = 6, 5, 10
DURATION = re.compile(r"(uptime|duration|latency|jitter|silence|age|elapsed|lasted)|(_s|_ms|_seconds)$")
NO_DURATION = re.compile(r"(offset|_at_ms|time_ms|until_ms)")


class ShiftedMesh(DirectMesh):
    def __init__(self, products):
        super().__init__(products)
        self.clock = os.path.join(self.directory, "clock")
        self.shift(0.0)
        library = os.path.join(self.directory, "shifted_clock.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shifted_clock.c")
        compiler = shutil.which("cc") or shutil.which("clang")
        if compiler:
            subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
            self.environment.update(LD_PRELOAD=library, FLEET_CLOCK=self.clock)
        self.is_shifted = bool(compiler)

    def shift(self, seconds):
        """The mesh's wall clock is so far from the real one, from now on."""
        self.shifted = seconds
        # In place: the services have it mapped.
        file = os.open(self.clock, os.O_RDWR | os.O_CREAT)
        os.pwrite(file, struct.pack("q", int(seconds * 1e9)), 0)
        os.close(file)


make_mesh = ShiftedMesh


def moment(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


class Brokers:
    """The brokers' clocks: what they show does not follow ours."""

    def __init__(self, crowd):
        self.crowd, self.truth, self.hours = crowd, 0.0, [3, 3, 3, 2, 2, 2]

    def set(self, truth=None, hours=None):
        """`truth` is how far the story's time is from the machine's."""
        self.truth = self.truth if truth is None else truth
        self.hours = hours or self.hours
        self.crowd.call("ahead", {f"Week-Trade-{number}": self.truth + hours * HOUR
                                  for number, hours in enumerate(self.hours)})


def play(line, mesh, dose):
    if not mesh.is_shifted:
        line.report.skip("line 4.7", "there is no C compiler (cc) for the library that shifts the mesh's clock")
        return line.note(scale="none", sent=0, lost=0, memory_mb=0, **dict.fromkeys(NEEDED, "skipped"))
    count, traders, stay = dose.of((300, 20, 8.0), (3000, 200, 75.0))
    truth = moment(FRIDAY) - dose.of(20, 90) - time.time()
    mesh.shift(truth)
    mesh.begin()
    # Its memory allocator's thread waits for a moment of the wall clock that the kernel does not know: it would spin.
    mesh.state.ask("CONFIG", "SET", "jemalloc-bg-thread", "no")
    everybody = [Person(number, f"week_{number:05d}_x", 5_700_000 + number, f"Week-Trade-{number % BROKERS}",
                        f"Week Broker {number % BROKERS} Ltd") for number in range(count)]
    alerts = Alerts(mesh)
    crowd = Remote(Crowd, everybody, mesh.addresses(), dose.seed)
    dose.keep(crowd)
    brokers = Brokers(crowd)
    brokers.set(truth)
    crowd.call("open", None, dose.of(2.0, 10.0))
    crowd.call("live", rate=dose.of(600.0, 3000.0), heartbeat=10.0)
    mesh.wait_active(count, 60)
    slots = trade(line, mesh, crowd, everybody, traders)
    time.sleep(stay)
    sleeping = close(crowd, everybody, dose)
    steps = step_clock(mesh, truth, stay)
    negative = negatives(mesh)
    # The weekend is over; three brokers have put their clocks back meanwhile.
    skipped = moment(SUNDAY) - (time.time() + truth)
    truth += skipped
    mesh.shift(truth)
    brokers.set(truth, [2, 2, 2, 2, 2, 2])
    alarms = pull_the_plug(line, alerts, crowd, everybody, sleeping)
    negative += negatives(mesh)
    quiet = settled_states(mesh, everybody, len(sleeping) - len(alarms["pulled"]))
    crowd.call("unmute", [number for number in sleeping if number not in alarms["pulled"]])
    crowd.call("live", heartbeat=10.0, hurry=True)
    time.sleep(stay)
    negative += negatives(mesh)
    judge(line, mesh, alerts, everybody, slots, alarms, negative, quiet, crowd)
    line.note(scale=f"{count} terminals of {BROKERS} brokers, {traders} with positions",
              sent=sum(crowd.call("counts")["sent"].values()), memory_mb=mesh.memory_in_all(), terminals=count,
              brokers=BROKERS, clock_steps=steps + 1, hours_skipped=skipped / HOUR, alerts=alerts.types(),
              states_on_sunday="; ".join(f"{name} {number}" for name, number in sorted(quiet.items())))
    alerts.close()


def trade(line, mesh, crowd, everybody, traders):
    """Some hold positions: their slots must outlast the weekend. Returns user -> what is in his slots."""
    desk = Desk(mesh)
    some = everybody[:traders]
    for person in some:
        desk.ask(type="set_user", user_uuid=person.user, tier="COMMANDER")
    ahead = mesh.shifted

    def fire(person, attempt):
        return desk.ask(type="fire", fire_id=f"week-{person.number}-{attempt}", user_uuid=person.user, symbol="EURUSD",
                        direction="BUY", sl=1.08, lot=0.01, expires_at_ms=int((time.time() + ahead + 20) * 1000))
    waiting, attempt, last, deadline = list(some), 0, {}, time.monotonic() + 30
    while waiting and time.monotonic() < deadline:
        last = {person.user: fire(person, attempt) for person in waiting}
        waiting = [person for person in waiting if last[person.user].get("state") != "sent"]
        attempt += 1
        time.sleep(0.5 if waiting else 0)
    line.none("traders that could not be fired at", [last[person.user] for person in waiting])
    wait(lambda: all(mesh.state.ask("HLEN", f"slots:{person.user}") == 1 for person in some if person not in waiting),
         20, "each has one slot in use")
    wait(lambda: len(crowd.call("counts")["executed"]) >= traders - len(waiting), 10, "all are executed")
    mesh.settle(30)
    desk.close()
    return {person.user: sorted(mesh.state.hash(f"slots:{person.user}")) for person in some}


def close(crowd, everybody, dose):
    """Five brokers close: their terminals fall silent one after the other, connected; one goes on, crypto."""
    sleeping = [person.number for person in everybody if person.number % BROKERS != OPEN_ALWAYS]
    dose.random.shuffle(sleeping)
    for start in range(0, len(sleeping), max(1, len(sleeping) // 10)):
        crowd.call("mute", sleeping[start:start + max(1, len(sleeping) // 10)])
        time.sleep(dose.of(0.5, 6.0))
    return sleeping


def step_clock(mesh, truth, stay):
    """Our own clock is an hour wrong, forth and back and right again; terminals' and brokers' clocks are not."""
    for wrong in (HOUR, -HOUR, 0):
        mesh.shift(truth + wrong)
        time.sleep(stay)
    return 3


def pull_the_plug(line, alerts, crowd, everybody, sleeping):
    """On Sunday, before the opening, ten machines of one broker lose their power: that is an alarm, and one."""
    before = set(alerts.ids())
    pulled = [number for number in sleeping if everybody[number].server == "Week-Trade-1"][:PULLED]
    crowd.call("drop", pulled)
    try:
        wait(lambda: set(alerts.ids("nodes_lost", "node_timeout")) - before, 110, "an alarm", pause=0.2)
    except TimeoutError:
        pass
    time.sleep(3)
    right = [alerts.ids()[name] for name in set(alerts.ids("nodes_lost", "node_timeout")) - before]
    line.equal("a plug pulled on Sunday makes one alarm", len(right), 1)
    line.check("which counts them", [row.get("count") for row in right] == [PULLED],
               [(row.get("count"), row.get("message")) for row in right])
    return {"pulled": set(pulled), "right": {row.get("alert_id") for row in right}}


def states(mesh, everybody):
    found = {}
    for values in hashes(mesh, everybody, ("status", "liveness")):
        name = "/".join(str(value) for value in values)
        found[name] = found.get(name, 0) + 1
    return found


def settled_states(mesh, everybody, expected, within=30.0):
    """Silence is judged a minute after the last step; until then it is `late`."""
    try:
        wait(lambda: states(mesh, everybody).get("active/quiet", 0) >= expected, within, "quiet", pause=0.5)
    except TimeoutError:
        pass
    return states(mesh, everybody)


def hashes(mesh, everybody, fields):
    answers = []
    for start in range(0, len(everybody), 500):
        answers += mesh.state.pipeline([("HMGET", f"node:{person.node}", *fields)
                                        for person in everybody[start:start + 500]])
    return answers


def negatives(mesh):
    """Durations below 0 on any page: (where, value)."""
    found = []

    def look(where, value):
        if isinstance(value, dict):
            for name, part in value.items():
                look(f"{where}.{name}", part)
        elif isinstance(value, list):
            for part in value:
                look(where, part)
        else:
            name = where.rsplit(".", 1)[-1]
            if DURATION.search(name) and not NO_DURATION.search(name) and number(value) < 0:
                found.append((where, value))
    for path in ("/health", "/services", "/nodes?limit=1000", "/positions?limit=1000", "/alerts?limit=1000",
                 "/version"):
        look(path, mesh.page(path)[1])
    for key in sorted(mesh.state.keys("liveness:*"))[:1000]:
        look("liveness", mesh.state.hash(key))
    return found


def number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def judge(line, mesh, alerts, everybody, slots, alarms, negative, quiet, crowd):
    freed = [(user, held, sorted(mesh.state.hash(f"slots:{user}"))) for user, held in slots.items()
             if sorted(mesh.state.hash(f"slots:{user}")) != held]
    line.none("slots freed wrongly", freed)
    # That our clock was set is true, and told; for two minutes after each step it is one alert.
    stepped = [row.get("message") for row in alerts.ids("clock_stepped").values()]
    line.check("steps of our clock are told, each at most once", 1 <= len(stepped) <= 4
               and all("clock was set" in str(text) for text in stepped), stepped)
    try:
        wait(lambda: all(alerts.resolved(name) for name in alerts.ids("clock_stepped")), 150, "calm", pause=0.5)
    except TimeoutError:
        pass
    line.none("steps of our clock that are not over two minutes after the last",
              [name for name in alerts.ids("clock_stepped") if not alerts.resolved(name)])
    false = [(row.get("type"), row.get("message")) for name, row in alerts.ids().items()
             if name not in alarms["right"] and row.get("severity") != "info" and row.get("type") != "clock_stepped"]
    line.none("false alarms", false)
    # A duration below zero would stand in an alert's words, too.
    negative += [row.get("message") for row in alerts.all() if re.search(r"(?<![\w-])-\d", str(row.get("message")))]
    line.none("negative durations", negative)
    ended = [person.node for person, values in zip(everybody, hashes(mesh, everybody, ("status",)))
             if person.number not in alarms["pulled"] and values != ["active"]]
    line.none("nodes that were given up and had done nothing wrong", ended)
    line.check("over the weekend connected terminals are quiet, not dead",
               set(quiet) <= {"active/live", "active/quiet", "timeout/dead"} and quiet.get("timeout/dead", 0) == PULLED,
               quiet)
    line.equal("commands to another terminal", len(crowd.call("counts")["foreign"]), 0)
    line.note(slots_freed=len(freed), false_alarms=len(false), right_alarms=len(alarms["right"]),
              negative_durations=len(negative), lost=len(freed))
