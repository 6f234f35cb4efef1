"""Line 1: everybody comes back at once after an outage, each with a queue of what he said meanwhile."""

import time

from crowd import Crowd, Remote, framed
from fleet_mesh import Desk, wait
from people import Person

TITLE = "all return within 2 s after an outage, each with its queue"
NEEDED = ("connected_within_s", "stale_used", "confirmations_sent", "confirmations_lost", "shed", "peaks_mb")
RETURN, CONNECTED, MEMORY = 2.0, 30.0, 1000
# What a crowd's own clock may be late by: it dials by hand on the cores that the mesh runs on.
LATE = 0.5
# Prices of before the outage, which nobody may take for those of now.
STALE = ("1.23450", "1.23460")
OLDEST, NEWEST = 900.0, 180.0


class Queues(Crowd):
    """Terminals with 2.05's queues: up to 1,000 frames on each socket, in the order in which they were said."""

    def remember(self, ticks, told):
        """What each will have to say: framed once, and rewritten for each by names of equal length."""
        first = self.people[0]
        texts = [first.tick(*STALE, volume=index, ago=OLDEST - (OLDEST - NEWEST) * index / ticks)
                 for index in range(ticks)]
        self.ticks, self.tick_count = framed(texts), ticks
        self.told, self.told_count = framed(
            first.opened(f"out-{first.number:05d}-{index:03d}", (first.number + 10_000) * 1000 + index)
            for index in range(told)), told
        self.beats = framed([first.command_heartbeat()] * 5)

    def rewritten(self, data, person):
        first = self.people[0]
        for old, new in ((first.node, person.node), (first.user, person.user),
                         (str(first.account), str(person.account)),
                         (f"out-{first.number:05d}-", f"out-{person.number:05d}-"),
                         (f'"ticket":{first.number + 10_000:05d}', f'"ticket":{person.number + 10_000:05d}')):
            data = data.replace(old.encode(), new.encode())
        return data

    def queue(self):
        """Everything is said while nobody listens: it waits at each connection."""
        for index, person in enumerate(self.people):
            self.blast(index, "ea-telemetry", self.rewritten(self.ticks, person), self.tick_count, "stale tick")
            self.blast(index, "ea-confirmations", self.rewritten(self.told, person), self.told_count, "confirmation")
            self.blast(index, "ea-commands", self.rewritten(self.beats, person), 5, "HEARTBEAT")

    def pour(self, moment, within):
        """At this moment all connect within so many seconds, and what waited goes out."""
        while time.monotonic() < moment:
            time.sleep(0.001)
        for index, mine in enumerate(self.links):
            for link in mine.values():
                link.open()
            self.present.add(index)
            while time.monotonic() - moment < within * index / len(self.people) or index % 20 == 19:
                self.loop.turn(0)
                if time.monotonic() - moment >= within * index / len(self.people):
                    break
        return time.monotonic() - moment

    def hang_up(self):
        """Nobody keeps dialling: they all return at one moment."""
        return self.drop(list(range(len(self.people))), abruptly=False)


def people(count):
    # Names of equal length, so that texts can be rewritten.
    return [Person(number, f"outage_user_{number:05d}x", 5_100_000 + number, f"Outage-Trade-{number % 6}",
                   node=f"NODE_{5_100_000 + number}_{3_000_000_000 + number}") for number in range(count)]


def tickets(person, told):
    return {(str(person.account), str((person.number + 10_000) * 1000 + index)) for index in range(told)}


def play(line, mesh, dose):
    count, ticks, told, processes = dose.of((1000, 200, 5, 1), (5000, 975, 25, 3))
    mesh.begin()
    everybody = people(count)
    crowds = [Remote(Queues, everybody[place::processes], mesh.addresses(), dose.seed + place)
              for place in range(processes)]
    for crowd in crowds:
        dose.keep(crowd)
    for crowd in crowds:
        crowd.call("open", None, 3.0)
    mesh.wait_active(count, 60)
    outage(mesh, crowds, ticks, told)
    before = mesh.told("handshake-processor").get("frames", 0)
    moment = time.monotonic() + 0.2
    for crowd in crowds:
        crowd.send("pour", moment, RETURN)
    returned = max(crowd.receive(120) for crowd in crowds)
    connected = all_connected(crowds, count, moment)
    sent = total(crowds)
    received = drained(mesh, sent["stale tick"], before)
    line.check(f"all {count} return within {RETURN} s, as asked", returned <= RETURN + LATE, returned)
    line.check(f"all connected within {CONNECTED:.0f} s", connected <= CONNECTED, connected)
    line.equal("telemetry frames taken", received, sent["stale tick"])
    shed = sum(mesh.told("handshake-processor").get(name, 0) for name in ("shed_ticks", "shed_bars", "shed_heartbeats"))
    line.equal("a backlog is not shed", shed, 0)
    stale = stale_used(line, mesh, everybody, dose.of(300, count))
    line.note(catch_up_s=mesh.settle(600))
    lost = lost_confirmations(mesh, everybody, told)
    line.none("confirmations lost", lost)
    fresh(line, mesh, crowds[0], everybody[0::processes][:20])
    in_all = mesh.memory_in_all()
    line.check(f"memory of all services and Redis under {MEMORY} MB", 0 < in_all < MEMORY, mesh.memory_rows())
    peaks, each = mesh.peak_memory()
    line.check(f"all processes' peaks together, second ones' too, under {MEMORY} MB", 0 < peaks < MEMORY, each)
    line.note(scale=f"{count} terminals x {ticks + told + 5} frames", sent=sum(sent.values()), lost=len(lost),
              memory_mb=in_all, connected_within_s=connected, returned_within_s=returned, stale_used=stale,
              confirmations_sent=sent["confirmation"], confirmations_lost=len(lost), shed=shed,
              telemetry_taken=received, memory_each=mesh.memory_rows(), peaks_mb=peaks, peaks_each=each)


def outage(mesh, crowds, ticks, told):
    """The mesh goes and comes; the terminals' queues fill meanwhile."""
    code, output = mesh.meshctl("stop", timeout=90)
    if code != 0:
        raise RuntimeError(f"the mesh does not stop: {output}")
    for crowd in crowds:
        crowd.call("hang_up")
        crowd.call("remember", ticks, told)
        crowd.call("queue")
    code, output = mesh.meshctl("start", timeout=90)
    if code != 0:
        raise RuntimeError(f"the mesh does not start again: {output}")
    # The connection to the Redis of before is gone.
    wait(mesh.state.answers, 10, "Redis answers")


def all_connected(crowds, count, moment, within=60):
    seen = [(0, 0.0)]

    def reached():
        seen[:] = [crowd.call("ready") for crowd in crowds]
        return sum(number for number, _ in seen) == count
    try:
        wait(reached, within, "all connected", pause=0.2)
    except TimeoutError:
        return float("inf")
    return max(last for _, last in seen) - moment


def total(crowds):
    sums = {}
    for crowd in crowds:
        for kind, number in crowd.call("counts")["sent"].items():
            sums[kind] = sums.get(kind, 0) + number
    return sums


def drained(mesh, sent, before, within=240):
    """Frames that handshake-processor took since; it reports once a second."""
    def reached():
        return mesh.told("handshake-processor").get("frames", 0) - before >= sent
    try:
        wait(reached, within, "all is taken", pause=0.3)
    except TimeoutError:
        pass
    return mesh.told("handshake-processor").get("frames", 0) - before


def stale_used(line, mesh, everybody, count):
    """Fires that a stale tick let through, and where else an old price is shown as one of now."""
    desk = Desk(mesh)
    reasons = {}
    for person in everybody[:count]:
        desk.ask(type="set_user", user_uuid=person.user, tier="LIEUTENANT")
        word = verdict(desk, person)
        reasons[word] = reasons.get(word, 0) + 1
    desk.close()
    line.equal("fires at terminals whose ticks are all stale", reasons, {"market_quiet": count})
    current = mesh.state.ask("ZRANGE", "broker_last_quote", "0", "-1", "WITHSCORES")
    line.equal("brokers said to quote now", current, [])
    levels = mesh.state.hash("levels:EURUSD")
    shown = [name for name, text in levels.items() if name in ("bid", "ask", "price", "mid") and STALE[0][:5] in text]
    line.equal("old prices shown as levels' price", shown, [])
    used = sum(number for word, number in reasons.items() if word in ("sent", "queued"))
    return used + len(current) // 2 + len(shown)


def verdict(desk, person):
    """Why he is not fired at; asked again where Redis was just not there."""
    for attempt in range(20):
        answer = desk.fire(f"stale-{person.number}-{attempt}", person.user)
        word = answer.get("reason") or answer.get("state") or "no answer"
        if word not in ("state_unavailable", "no answer"):
            break
        time.sleep(0.5)
    return word


def lost_confirmations(mesh, everybody, told):
    booked = set()
    for key in mesh.state.keys("trade:*"):
        parts = key.split("|")
        if len(parts) == 4:
            booked.add((parts[1], parts[2]))
    return sorted({ticket for person in everybody for ticket in tickets(person, told)} - booked)


def fresh(line, mesh, crowd, some):
    """With the first tick of now they are fired at again."""
    crowd.call("live", rate=2000.0)
    desk = Desk(mesh)

    def ready():
        return all(desk.ask(type="fire", fire_id=f"fresh-{time.monotonic_ns()}"[-24:], user_uuid=person.user,
                            symbol="EURUSD", direction="BUY", lot=0.01).get("reason") == "no_stop" for person in some)
    try:
        wait(ready, 15, "fired at", pause=0.3)
        line.check(f"{len(some)} of them are fired at again once they tick", True)
    except TimeoutError:
        answer = desk.fire("fresh-last", some[0].user)
        line.check(f"{len(some)} of them are fired at again once they tick", False, answer)
    crowd.call("live", rate=0)
    desk.close()
