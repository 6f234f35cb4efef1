"""Line 6: one terminal floods the telemetry port; the others' ticks keep their time and are all relayed."""

import random
import time

from crowd import Remote
from fleet_line import percentile
from fleet_mesh import Alerts, wait
from people import Person
from streams import Flood, Listener, Stream

TITLE = "one terminal floods the telemetry port"
NEEDED = ("flood_rate", "shed", "p99_ms_quiet", "p99_ms_flood", "ratio", "lost_by_others")
RATE, WORSE = 50_000, 2.0


def play(line, mesh, dose):
    count, rate, window, pairs = dose.of((1000, 1000, 4.0, 3), (5000, 5000, 15.0, 5))
    mesh.begin()
    people = [Person(number, f"quiet_{number:04d}_x", 5_600_000 + number, f"Quiet-Trade-{number % 4}")
              for number in range(count)]
    loud = Person(count, "loud_0001_x", 5_690_001, "Loud-Trade")
    alerts = Alerts(mesh)
    stream = Remote(Stream, people, mesh.address("ea-telemetry"), random.Random(dose.seed))
    flood = Remote(Flood, loud, mesh.address("ea-telemetry"), random.Random(dose.seed + 1))
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
    calm, noisy = percentile(quiet, 0.5) / 1000, percentile(loud_windows, 0.5) / 1000
    counters = mesh.told("handshake-processor")
    line.check(f"it floods with {RATE}/s", flooded / seconds > 0.8 * RATE, f"{flooded / seconds:.0f}/s")
    line.check(f"the others' p99 at most {WORSE:.0f} times that without the flood", noisy <= WORSE * calm,
               f"{calm:.2f} ms, {noisy:.2f} ms; windows {quiet} {loud_windows} us")
    line.equal("lost by the others", sent - got, 0)
    line.check("what floods is shed, ticks first", counters.get("shed_ticks", 0) > flooded // 4, counters)
    line.equal("heartbeats shed", counters.get("shed_heartbeats"), 0)
    judge_alert(line, alerts, loud)
    line.note(scale=f"{count} terminals at {rate}/s, {pairs} pairs of {window:.0f} s", sent=sent, lost=sent - got,
              memory_mb=mesh.memory_in_all(), flood_rate=flooded / seconds, flooded=flooded,
              shed=counters.get("shed_ticks", 0), p99_ms_quiet=round(calm, 2), p99_ms_flood=round(noisy, 2),
              ratio=round(noisy / calm, 2) if calm else 0.0, lost_by_others=sent - got, alerts=alerts.types())
    alerts.close()


def measured(listener, window):
    """The p99 of a window, microseconds."""
    time.sleep(0.3)
    listener.call("take")
    time.sleep(window)
    return percentile(listener.call("take")[2], 0.99)


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


def judge_alert(line, alerts, loud):
    try:
        wait(lambda: alerts.ids("terminal_flooding"), 15, "an alert", pause=0.2)
    except TimeoutError:
        pass
    rows = list(alerts.ids("terminal_flooding").values())
    line.check("one alert, which names the terminal", len(rows) == 1 and loud.node in str(rows[0]),
               rows or alerts.types())
