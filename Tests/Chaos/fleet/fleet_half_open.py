"""Line 2: terminals restarted behind connections that are open for nobody."""

import copy
import os
import signal
import time

from crowd import Remote
from dealers import Dealers
from fleet_mesh import Desk, wait
from people import Person

TITLE = "half-open connections, restarted under the same identity"
NEEDED = ("commanded", "slowest_s", "median_s", "descriptors_before", "descriptors_after", "telemetry_before",
          "telemetry_after", "telemetry_back_s", "commands_to_others")
WITHIN, PAUSE = 25.0, 0.5
# A silent peer is asked after 10 to 15 s whether it lives, and one that answered before has a minute for it, all looked at
# once a second: docs/fleet.md.
ASKED, CUT = 17.0, 85.0


def play(line, mesh, dose):
    count = dose.of(100, 500)
    mesh.begin()
    people = [Person(number, f"halfopen_{number:04d}x", 5_200_000 + number, f"Half-Trade-{number % 3}")
              for number in range(count)]
    endpoints = {name: mesh.endpoint(name) for name in mesh.ports}
    empty = mesh.descriptors("position-tracker")
    old = Remote(Dealers, people, endpoints)
    dose.keep(old)
    old.call("open")
    mesh.wait_active(count, 60)
    desk = Desk(mesh)
    asked = everybody_hears(desk, old, people, "before", 30)
    line.equal("before the fault every one receives a command", len(old.call("report")[0]), count)
    # By then each was asked once and has answered, as every terminal that has been there for a while.
    time.sleep(ASKED)
    before = mesh.descriptors("position-tracker")
    telemetry = mesh.descriptors("handshake-processor")
    # Frozen: the kernel keeps both ends of every connection open, and nobody reads.
    os.kill(old.process.pid, signal.SIGSTOP)
    frozen = time.monotonic()
    try:
        again = [copy.copy(person) for person in people]
        for person in again:
            person.restarted()
        new = Remote(Dealers, again, endpoints)
        dose.keep(new)
        began = new.call("open")
        asked += everybody_hears(desk, new, again, "again", WITHIN + 10)
        arrived, foreign, sent = new.call("report")
        times = sorted(rows[0][0] - began for rows in arrived.values())
        late = count - sum(seconds <= WITHIN for seconds in times)
        line.equal("terminals without a command", count - len(times), 0)
        line.check(f"every one receives a command within {WITHIN:.0f} s", late == 0, f"{late} late or never")
        line.none("commands that came to another terminal", foreign)
        after = back_to(mesh, "position-tracker", before, 30)
        line.check("descriptors back to where they were", after <= before + 1, f"{before} before, {after} after")
        telemetry_after = back_to(mesh, "handshake-processor", telemetry, CUT - (time.monotonic() - frozen))
        back = time.monotonic() - frozen
        line.check("so are handshake-processor's, of which no restart tells", telemetry_after <= telemetry + 1,
                   f"{telemetry} before, {telemetry_after} after {back:.0f} s")
        cut = mesh.told("handshake-processor").get("heartbeat_disconnects", 0)
        line.check("each of them is counted as cut by a heartbeat", cut >= count, f"{cut} of {count}")
        conflicts = desk.ask(type="conflicts").get("total")
        line.equal("doubts left about terminals that only restarted", conflicts, 0)
    finally:
        old.kill()
    line.note(scale=f"{count} terminals", sent=sent + asked, lost=count - len(times), memory_mb=mesh.memory_in_all(),
              commanded=len(times), slowest_s=max(times, default=float("inf")),
              median_s=times[len(times) // 2] if times else float("inf"), descriptors_empty=empty,
              descriptors_before=before, descriptors_after=after, telemetry_before=telemetry,
              telemetry_after=telemetry_after, telemetry_back_s=back, heartbeat_disconnects=cut,
              commands_to_others=len(foreign), pings_asked=asked,
              connections_cut=mesh.told("position-tracker").get("connections_cut", 0))
    desk.close()


def everybody_hears(desk, dealers, people, word, within):
    """Pings each until it was heard; how many pings that took."""
    waiting, asked, deadline = list(people), 0, time.monotonic() + within
    while waiting and time.monotonic() < deadline:
        for person in waiting:
            desk.ask(type="ping", user_uuid=person.user, ping_id=f"{word}-{person.number}")
            asked += 1
        time.sleep(PAUSE)
        arrived, _, _ = dealers.call("report")
        waiting = [person for person in waiting if person.user not in arrived]
    return asked


def back_to(mesh, name, before, within):
    try:
        wait(lambda: mesh.descriptors(name) <= before + 1, max(within, 1.0), "descriptors", pause=0.3)
    except TimeoutError:
        pass
    return mesh.descriptors(name)
