"""Line 6: one terminal floods the telemetry port; the others' ticks keep their time and are all relayed."""

import random
import time

from crowd import Remote
from fleet_line import percentile
from fleet_mesh import Alerts, wait
from people import Person
from streams import Flood, Listener, Stream

TITLE = "one terminal floods the telemetry port"
NEEDED = ("flood_rate", "shed", "p99_ms_quiet", "p99_ms_flood", "ratio", "pooled_p99_ms_quiet", "pooled_p99_ms_flood",
          "pooled_ratio", "lost_by_others", "flooder_confirmations", "flooder_confirmations_lost")
RATE, WORSE = 50_000, 2.0


def play(line, mesh, dose):
    count, rate, window, pairs = dose.of((1000, 1000, 4.0, 3), (5000, 5000, 15.0, 5))
    mesh.begin()
    people = [Person(number, f"quiet_{number:04d}_x", 5_600_000 + number, f"Quiet-Trade-{number % 4}")
              for number in range(count)]
    loud = Person(count, "loud_0001_x", 5_690_001, "Loud-Trade")
    alerts = Alerts(mesh)
    stream = Remote(Stream, people, mesh.address("ea-telemetry"), random.Random(dose.seed))
    flood = Remote(Flood, loud, mesh.address("ea-telemetry"), mesh.address("ea-confirmations"),
                   random.Random(dose.seed + 1))
    listener = Remote(Listener, mesh.endpoint("market-relay"), b'"user_uuid":"quiet_')
    for helper in (stream, flood, listener):
        dose.keep(helper)
    flood.call("open")
    stream.call("open", dose.of(2.0, 8.0))
    wait(lambda: stream.call("ready") == count, 30, "all are connected")
    mesh.wait_active(count + 1, 60)
    stream.call("run", rate)
    wait(lambda: listener.call("take")[0] > rate, 15, "the relay is heard")
    # Both have found their pace before anything is measured.
    flood.call("run", RATE)
    time.sleep(2)
    flood.call("run", 0)
    time.sleep(1)
    got_before, _, _ = listener.call("take")
    quiet, loud_windows, flooded, seconds = [], [], 0, 0.0
    sent_before = drained(stream, listener)
    got_before = listener.call("take")[0]
    stream.call("run", rate)
    for _ in range(pairs):
        quiet.append(measured(listener, window))
        before, began = flood.call("run", RATE)[0], time.monotonic()
        loud_windows.append(measured(listener, window))
        seconds += time.monotonic() - began
        flooded += flood.call("run", 0)[0] - before
        time.sleep(0.5)
    sent = drained(stream, listener) - sent_before
    got = listener.call("take")[0] - got_before
    calm, noisy = (percentile([percentile(window, 0.99) for window in part], 0.5) / 1000
                   for part in (quiet, loud_windows))
    # The median of the windows leaves a bad one out; all of their messages together do not.
    calm_pool, noisy_pool = (percentile([delay for window in part for delay in window], 0.99) / 1000
                             for part in (quiet, loud_windows))
    counters = mesh.told("handshake-processor")
    line.check(f"it floods with {RATE}/s", flooded / seconds > 0.8 * RATE, f"{flooded / seconds:.0f}/s")
    line.check(f"the others' p99 at most {WORSE:.0f} times that without the flood", noisy <= WORSE * calm,
               f"{calm:.2f} ms, {noisy:.2f} ms; windows "
               f"{[[percentile(window, 0.99) for window in part] for part in (quiet, loud_windows)]} us")
    if dose.full:
        # In the small dose another line runs beside it.
        line.check(f"the p99 of all their messages at most {WORSE:.0f} times that without the flood",
                   noisy_pool <= WORSE * calm_pool, f"{calm_pool:.2f} ms, {noisy_pool:.2f} ms")
    line.equal("lost by the others", sent - got, 0)
    line.check("what floods is shed, ticks first", counters.get("shed_ticks", 0) > flooded // 4, counters)
    line.equal("heartbeats shed", counters.get("shed_heartbeats"), 0)
    judge_alert(line, alerts, loud)
    confirmed, lost = confirmations(line, mesh, flood, loud)
    last_of_all(line, mesh, flood)
    line.note(scale=f"{count} terminals at {rate}/s, {pairs} pairs of {window:.0f} s", sent=sent, lost=sent - got,
              memory_mb=mesh.memory_in_all(), flood_rate=flooded / seconds, flooded=flooded,
              shed=counters.get("shed_ticks", 0), p99_ms_quiet=round(calm, 2), p99_ms_flood=round(noisy, 2),
              ratio=round(noisy / calm, 2) if calm else 0.0, pooled_p99_ms_quiet=round(calm_pool, 2),
              pooled_p99_ms_flood=round(noisy_pool, 2),
              pooled_ratio=round(noisy_pool / calm_pool, 2) if calm_pool else 0.0, flooder_confirmations=confirmed,
              flooder_confirmations_lost=lost, flooder_heartbeats=flooded // 100, lost_by_others=sent - got,
              alerts=alerts.types())
    alerts.close()


def measured(listener, window):
    """How long each message of a window took, microseconds."""
    time.sleep(0.3)
    listener.call("take")
    time.sleep(window)
    return listener.call("take")[2]


def drained(stream, listener):
    """What was sent when everything sent has arrived or will not."""
    sent = stream.call("run", 0)
    last, since = None, time.monotonic()
    while time.monotonic() - since < 1.0:
        now = listener.call("take")[0]
        if now != last or stream.call("unsent"):
            last, since = now, time.monotonic()
        time.sleep(0.1)
    return sent


def confirmations(line, mesh, flood, loud):
    """What the flooder told of trades meanwhile is booked, all of it: (told, lost)."""
    tickets = wait(lambda: flood.call("confirmed"), 60, "its confirmations are out")
    mesh.settle(120)
    booked = {parts[2] for parts in (key.split("|") for key in mesh.state.keys("trade:*"))
              if len(parts) == 4 and parts[1] == str(loud.account)}
    lost = [ticket for ticket in tickets if str(ticket) not in booked]
    line.none("confirmations of the flooder that are not booked", lost)
    return len(tickets), len(lost)


def last_of_all(line, mesh, flood):
    """Heartbeats are shed last: only where nothing but heartbeats is left to shed."""
    def shed():
        return mesh.told("handshake-processor").get("shed_heartbeats", 0)
    flood.call("run", RATE, True)
    try:
        wait(lambda: shed() > 0, 20, "heartbeats are shed", pause=0.2)
    except TimeoutError:
        pass
    flood.call("run", 0)
    line.check("a flood of heartbeats alone is shed too", shed() > 0, shed())


def judge_alert(line, alerts, loud):
    try:
        wait(lambda: alerts.ids("terminal_flooding"), 15, "an alert", pause=0.2)
    except TimeoutError:
        pass
    rows = list(alerts.ids("terminal_flooding").values())
    line.check("one alert, which names the terminal", len(rows) == 1 and loud.node in str(rows[0]),
               rows or alerts.types())
