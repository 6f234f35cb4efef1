"""Line 7: the close, a clock change over the weekend, our own clock stepped an hour, the opening; nobody cries wolf.

The mesh's wall clock is shifted by a library under it; the time that passes is real, so the weekend's hours are skipped
while all stand still. All of them pass in the Swift suite WeekendProofTests, on the same engines, with as many terminals
in the full dose. On Saturday a stranger quotes in the name of a broker that is closed; at the end the monitor is dead.
"""

import calendar
import re
import time

from crowd import Crowd, Remote
from fleet_mesh import Alerts, Desk, wait
from people import Person
from shifted_mesh import ShiftedMesh
from unwatched import lose_unwatched
from weekend_watch import Watch

TITLE = "a weekend, a clock change, brokers at +2 and +3 h, our clock stepped an hour"
NEEDED = ("terminals", "brokers", "slots_freed", "false_alarms", "right_alarms", "negative_durations", "clock_steps",
          "hours_skipped", "strangers", "looks", "rows_looked_at", "points_lost_by_a_clock",
          "lost_without_a_monitor", "scored_within_s")
HOUR = 3600
# New York's summer ends in this weekend, so it has 49 hours; brokers 0 to 2 follow, the others do not.
FRIDAY, SATURDAY, SUNDAY = "2026-10-30 20:59:30", "2026-10-31 12:00:00", "2026-11-01 21:59:20"
BROKERS, OPEN_ALWAYS, PULLED = 6, 5, 10


make_mesh = ShiftedMesh


def moment(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


class Brokers:
    """The brokers' clocks: what they show does not follow ours."""

    def __init__(self, *crowds):
        self.crowds, self.truth, self.hours = crowds, 0.0, [3, 3, 3, 2, 2, 2]

    def set(self, truth=None, hours=None):
        """`truth` is how far the story's time is from the machine's."""
        self.truth = self.truth if truth is None else truth
        self.hours = hours or self.hours
        ahead = {f"Week-Trade-{number}": self.truth + hours * HOUR for number, hours in enumerate(self.hours)}
        for crowd in self.crowds:
            crowd.call("ahead", ahead)


def play(line, mesh, dose):
    if not mesh.is_shifted:
        return line.skip("there is no C compiler (cc) for the library that shifts the mesh's clock")
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
    stranger = Remote(Crowd, [Person(count, "week_stranger_x", 5_799_999, "Week-Trade-1", "Week Broker 1 Ltd")],
                      mesh.addresses(), dose.seed + 1)
    dose.keep(stranger)
    watch = Watch(mesh)
    brokers = Brokers(crowd, stranger)
    brokers.set(truth)
    crowd.call("open", None, dose.of(2.0, 10.0))
    crowd.call("live", rate=dose.of(600.0, 3000.0), heartbeat=10.0)
    mesh.wait_active(count, 60)
    slots = trade(line, mesh, crowd, everybody, traders)
    time.sleep(stay)
    sleeping = close(crowd, everybody, dose)
    night = moment(SATURDAY) - (time.time() + truth)
    truth += night
    mesh.shift(truth)
    brokers.set(truth)
    quote_in_their_name(line, mesh, stranger, everybody, dose)
    steps = step_clock(mesh, truth, stay, watch)
    # The weekend is over; three brokers have put their clocks back meanwhile.
    skipped = moment(SUNDAY) - (time.time() + truth)
    truth += skipped
    mesh.shift(truth)
    brokers.set(truth, [2, 2, 2, 2, 2, 2])
    watch.durations()
    alarms = pull_the_plug(line, alerts, crowd, everybody, sleeping)
    watch.durations()
    quiet = settled_states(mesh, everybody, len(sleeping) - len(alarms["pulled"]))
    crowd.call("unmute", [number for number in sleeping if number not in alarms["pulled"]])
    crowd.call("live", heartbeat=10.0, hurry=True)
    time.sleep(stay)
    watch.durations()
    judge(line, mesh, alerts, everybody, slots, alarms, watch, quiet, crowd)
    vanish = [person.number for person in everybody if person.server == "Week-Trade-2"][:dose.of(40, 400)]
    unwatched = lose_unwatched(line, mesh, crowd, vanish, len(alarms["pulled"]), count + 1)
    line.note(scale=f"{count} terminals of {BROKERS} brokers, {traders} with positions",
              sent=sum(crowd.call("counts")["sent"].values()), memory_mb=mesh.memory_in_all(), terminals=count,
              brokers=BROKERS, clock_steps=steps + 2, hours_skipped=(night + skipped) / HOUR, alerts=alerts.types(),
              strangers=1, looks=watch.looks, rows_looked_at=watch.rows, points_lost_by_a_clock=len(watch.points),
              lost_without_a_monitor=len(vanish), scored_within_s=unwatched,
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


def quote_in_their_name(line, mesh, stranger, everybody, dose):
    """Nobody registered him; he shakes hands for a broker that is closed and quotes the present for over a minute."""
    stranger.call("open")
    stranger.call("live", rate=2.0, heartbeat=10.0)
    mesh.wait_active(len(everybody) + 1, 30)
    time.sleep(dose.of(75, 100))
    found = states(mesh, everybody)
    line.check("a stranger who quotes for a closed broker kills none of its terminals",
               set(found) <= {"active/live", "active/quiet"}, found)


def step_clock(mesh, truth, stay, watch):
    """Our own clock is an hour wrong, forth and back and right again; terminals' and brokers' clocks are not."""
    for wrong in (HOUR, -HOUR, 0):
        mesh.shift(truth + wrong)
        watch.stay(stay, f"{wrong} s")
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


def judge(line, mesh, alerts, everybody, slots, alarms, watch, quiet, crowd):
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
    negative = watch.negative + [row.get("message") for row in alerts.all()
                                 if re.search(r"(?<![\w-])-\d", str(row.get("message")))]
    line.none("negative durations", negative)
    line.check("every node was looked at, again and again", watch.rows >= watch.looks * len(everybody),
               f"{watch.rows} rows in {watch.looks} looks")
    line.none("points of the health score that a clock costs", watch.points)
    ended = [person.node for person, values in zip(everybody, hashes(mesh, everybody, ("status",)))
             if person.number not in alarms["pulled"] and values != ["active"]]
    line.none("nodes that were given up and had done nothing wrong", ended)
    line.check("over the weekend connected terminals are quiet, not dead",
               set(quiet) <= {"active/live", "active/quiet", "timeout/dead"} and quiet.get("timeout/dead", 0) == PULLED,
               quiet)
    line.equal("commands to another terminal", len(crowd.call("counts")["foreign"]), 0)
    line.note(slots_freed=len(freed), false_alarms=len(false), right_alarms=len(alarms["right"]),
              negative_durations=len(negative), lost=len(freed))
