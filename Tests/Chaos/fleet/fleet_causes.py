"""Line 8: many terminals go for one reason: one alert that names it, for each reason, and one word that it is over."""

import time

from crowd import Crowd, Remote
from fleet_mesh import Alerts, wait
from people import Person

TITLE = "one alert for one cause: a broker's, a version's, our own restart"
NEEDED = ("terminals", "lost_of_broker", "lost_of_version", "alerts_raised", "alerts_resolved", "told_after_s")
BROKERS, LOST_BROKER, LOST_VERSION = 6, "Cause-Trade-0", "2.06H"
SILENCE = 60.0
PROCESSOR = "handshake-processor"


def people(count):
    everybody = []
    for number in range(count):
        server = number % BROKERS
        # The broker that is lost has no terminals of the version that is lost: two causes, not one and a rest.
        version = LOST_VERSION if server and number // BROKERS % 5 == 0 else "2.05"
        everybody.append(Person(number, f"cause_{number:05d}_x", 5_800_000 + number, f"Cause-Trade-{server}",
                                f"Cause Broker {server} Ltd", version, ahead=(2 + server % 2) * 3600))
    return everybody


def play(line, mesh, dose):
    count, of_broker, rate, beat = dose.of((500, 40, 100.0, 8.0), (5000, 400, 1000.0, 25.0))
    mesh.begin()
    everybody = people(count)
    alerts = Alerts(mesh)
    crowd = Remote(Crowd, everybody, mesh.addresses(), dose.seed)
    dose.keep(crowd)
    crowd.call("open", None, dose.of(3.0, 15.0))
    crowd.call("live", rate=rate, heartbeat=beat)
    mesh.wait_active(count, 60)
    # Everybody has been heard and is known by his connections before anybody goes.
    time.sleep(dose.of(12, 40))
    line.none("alerts while nothing happens", [row.get("message") for row in serious(alerts)])
    rows = mesh.page("/services")[1].get("items") or []
    line.none("services that don't tell how much waits in them",
              [row.get("name") for row in rows if row.get("name") != "health-dashboard"
               and not isinstance((row.get("gauges") or {}).get("queue_depth"), int)] if len(rows) >= 7 else ["only %d services" % len(rows)])
    first = dose.random.sample([one.number for one in everybody if one.server == LOST_BROKER], of_broker)
    second = [one.number for one in everybody if one.version == LOST_VERSION]
    began = time.monotonic()
    crowd.call("drop", first)
    time.sleep(20)
    crowd.call("drop", second)
    told = await_lost(alerts, began, 2)
    time.sleep(dose.of(4, 20))
    judge_lost(line, alerts, first, second)
    crowd.call("open", first + second, 2.0)
    crowd.call("live", heartbeat=beat, hurry=True)
    raised = set(alerts.ids())
    await_resolved(alerts, raised)
    judge_resolved(line, alerts, raised)
    ours = restart(line, mesh, alerts, crowd, beat, count)
    everything = alerts.ids()
    line.note(scale=f"{count} terminals of {BROKERS} brokers", sent=sum(crowd.call("counts")["sent"].values()), lost=0,
              memory_mb=mesh.memory_in_all(), terminals=count, lost_of_broker=len(first), lost_of_version=len(second),
              alerts_raised=len(everything), alerts_resolved=sum(bool(alerts.resolved(name)) for name in everything),
              told_after_s=told - began - SILENCE, alerts=alerts.types(), restart_seen_after_s=ours)
    alerts.close()


def serious(alerts):
    """What somebody is told: everything but plain information, each alert once."""
    return [row for row in alerts.ids().values() if row.get("severity") != "info"]


def await_lost(alerts, began, number):
    """When the last of so many alerts came."""
    try:
        wait(lambda: len(alerts.ids("nodes_lost")) >= number, SILENCE + 70, "alerts of many", pause=0.2)
    except TimeoutError:
        pass
    moments = [moment for moment, row in alerts.rows if row.get("type") == "nodes_lost"]
    return max(moments, default=float("inf"))


def judge_lost(line, alerts, first, second):
    rows = {row.get("scope"): row for row in alerts.ids("nodes_lost").values()}
    line.equal("alerts for many", len(alerts.ids("nodes_lost")), 2)
    line.none("alerts for single terminals", list(alerts.ids("node_timeout")))
    line.none("alerts of anything else",
              [(row.get("type"), row.get("message")) for row in serious(alerts) if row.get("type") != "nodes_lost"])
    for scope, name, lost in (("server", LOST_BROKER, first), ("version", LOST_VERSION, second)):
        latest = [row for row in alerts.raised("nodes_lost") if row.get("scope") == scope][-1:]
        row = latest[0] if latest else {}
        line.equal(f"the alert for the {scope} names it", row.get("scope_name"), name)
        line.equal(f"and how many of the {scope} are lost", row.get("count"), len(lost))
        line.check(f"and says what to do ({scope})", row.get("action") and row.get("cause"), row or list(rows))


def await_resolved(alerts, names, within=60):
    try:
        wait(lambda: all(alerts.resolved(name) for name in names), within, "resolved", pause=0.2)
    except TimeoutError:
        pass
    # What is said twice is said soon after.
    time.sleep(3)


def judge_resolved(line, alerts, names):
    times = {alerts.ids()[name].get("message", name)[:80]: len(alerts.resolved(name)) for name in names}
    line.check("each is resolved once", set(times.values()) == {1}, times)


def restart(line, mesh, alerts, crowd, beat, count):
    """Our own processor dies: one alert that says so; nobody is called lost."""
    before = set(alerts.ids())
    killed = time.monotonic()
    mesh.kill(PROCESSOR)
    mesh.wait_pid(PROCESSOR)
    try:
        wait(lambda: set(alerts.ids()) - before, 45, "an alert of our own restart", pause=0.2)
    except TimeoutError:
        pass
    seen = time.monotonic() - killed
    wait(lambda: crowd.call("ready")[0] == count, 30, "all are connected again", pause=0.3)
    crowd.call("live", heartbeat=beat, hurry=True)
    await_resolved(alerts, set(alerts.ids()) - before, within=75)
    new = [alerts.ids()[name] for name in set(alerts.ids()) - before]
    line.check("our restart is one alert, which names the service",
               len(new) == 1 and PROCESSOR in str(new[0].get("cause")) + str(new[0].get("service")),
               [(row.get("type"), row.get("message")) for row in new])
    judge_resolved(line, alerts, {row.get("alert_id") for row in new})
    return seen
