"""A crowd of terminals in a process of its own: real connections, its own counts of what it sent and was told.

The parent calls methods of the crowd by a pipe and gets their results; between calls the terminals live on.
"""

import json
import multiprocessing
import random
import signal
import time
from collections import Counter

from wire import Link, Loop, frame

FORK = multiprocessing.get_context("fork")
PORTS = {"ea-telemetry": b"PUSH", "ea-commands": b"DEALER", "ea-confirmations": b"PUSH", "ea-receipts": b"DEALER"}
OF_2_05 = ("ea-telemetry", "ea-commands", "ea-confirmations")


class Crowd:
    """Terminals that shake hands, send heartbeats and ticks, and answer commands by themselves."""

    def __init__(self, people, endpoints, seed, ports=OF_2_05):
        self.random = random.Random(seed)
        self.loop = Loop(self.random)
        self.people = people
        self.place_of = {person.user: index for index, person in enumerate(people)}
        self.links = []
        for person in people:
            mine = {name: Link(self.loop, endpoints[name], PORTS[name],
                               person.identity if name == "ea-commands" else b"", source=person.source)
                    for name in ports}
            if "ea-commands" in mine:
                mine["ea-commands"].heard = lambda _, frames, one=person: self.hear(one, frames)
            self.links.append(mine)
        # What was sent, by kind; commands that came, by terminal; fires that were executed: fire_id -> ticket.
        self.sent, self.arrived, self.foreign = Counter(), {}, []
        self.executed, self.tickets, self.closed = {}, {}, []
        self.present = set()
        self.rate = self.due = 0.0
        self.heartbeat, self.next_beat, self.place, self.last = 0.0, 0.0, 0, time.monotonic()
        self.quote = ("1.08490", "1.08500")

    # -- coming and going

    def open(self, numbers=None, within=0.0, greets=True):
        """Connects them, spread over so many seconds; each says who it is, in the order an EA does."""
        numbers = range(len(self.people)) if numbers is None else numbers
        began, count = time.monotonic(), max(1, len(numbers))
        for index, number in enumerate(numbers):
            for link in self.links[number].values():
                link.open()
            self.present.add(number)
            if greets:
                self.greet(number)
            while within * index / count > time.monotonic() - began or index % 50 == 49:
                self.loop.turn(0.001)
                if within * index / count <= time.monotonic() - began:
                    break
        return time.monotonic() - began

    def greet(self, number):
        person, mine = self.people[number], self.links[number]
        if "ea-commands" in mine:
            self.say(number, "ea-commands", person.hello(), "hello")
        if "ea-telemetry" in mine:
            self.say(number, "ea-telemetry", person.handshake(), "handshake")

    def drop(self, numbers, abruptly=True):
        for number in numbers:
            self.present.discard(number)
            for link in self.links[number].values():
                link.close(abruptly)
        return len(numbers)

    def restart(self, numbers):
        """New EAs with new nodes under the old names, after `drop`."""
        for number in numbers:
            self.people[number].restarted()
        return self.open(numbers)

    def mute(self, numbers):
        """They stand still, connected: no ticks, no heartbeats; as terminals do when their market is closed."""
        self.present.difference_update(numbers)

    def unmute(self, numbers):
        self.present.update(numbers)

    def ready(self):
        """(terminals all of whose connections are up, seconds after `since` the last came up: by its own clock)"""
        times = [max(link.ready_at or 0.0 for link in mine.values()) for mine in self.links
                 if all(link.ready_at for link in mine.values())]
        return len(times), max(times, default=0.0)

    def reopened(self):
        return sum(link.opened for mine in self.links for link in mine.values())

    # -- what they say

    def say(self, number, port, text, kind):
        self.links[number][port].send(text)
        self.sent[kind] += 1

    def live(self, rate=None, heartbeat=None, quote=None, hurry=False):
        """So many ticks a second of all together, and a heartbeat of each every so many seconds; 0 is none."""
        if rate is not None:
            self.rate, self.due, self.last = rate, 0.0, time.monotonic()
        if heartbeat is not None:
            self.heartbeat, self.next_beat = heartbeat, time.monotonic() + (0 if hurry else heartbeat)
        self.quote = quote or self.quote

    def ahead(self, servers):
        """The clocks of these brokers change: server -> seconds ahead of UTC."""
        for person in self.people:
            person.ahead = servers.get(person.server, person.ahead)

    def unsent(self):
        return sum(len(link.out) for mine in self.links for link in mine.values())

    def turn(self, seconds):
        self.loop.turn(seconds)
        now = time.monotonic()
        if self.heartbeat and now >= self.next_beat:
            self.next_beat = now + self.heartbeat
            for number in sorted(self.present):
                person, mine = self.people[number], self.links[number]
                self.say(number, "ea-telemetry", person.heartbeat(), "heartbeat")
                if "ea-commands" in mine:
                    self.say(number, "ea-commands", person.command_heartbeat(), "HEARTBEAT")
        if self.rate and self.present:
            self.due = min(self.due + (now - self.last) * self.rate, self.rate)
            while self.due >= 1:
                self.due -= 1
                self.place = (self.place + 1) % len(self.people)
                for _ in range(len(self.people)):
                    if self.place in self.present:
                        break
                    self.place = (self.place + 1) % len(self.people)
                self.say(self.place, "ea-telemetry", self.people[self.place].tick(*self.quote), "tick")
        self.last = now

    # -- commands

    def hear(self, person, frames):
        try:
            command = json.loads(frames[-1])
        except ValueError:
            command = {"type": "unreadable", "frames": [part[:200] for part in frames]}
        self.arrived.setdefault(person.user, []).append((time.monotonic(), command))
        if command.get("target_uuid") != person.user:
            # An EA would leave it alone, or execute it where it names nobody.
            self.foreign.append((person.user, command))
            return
        number, kind = self.place_of[person.user], command.get("type")
        if "ea-confirmations" not in self.links[number]:
            return
        if kind == "ping":
            self.confirm(number, person.pong(command.get("ping_id", "")), "pong")
        elif kind == "fire":
            ticket = person.account * 1000 + len(self.executed) % 1000 + 1
            self.executed[command["fire_id"]] = ticket
            self.tickets[ticket] = number
            lot = f"{float(command.get('lot', 0)):.2f}"
            self.confirm(number, person.opened(command["fire_id"], ticket, lot), "open")
        elif kind == "close_ticket":
            self.closed.append(int(command["ticket"]))
            self.confirm(number, person.closed(int(command["ticket"])), "close")

    def confirm(self, number, text, kind):
        self.say(number, "ea-confirmations", text, kind)

    def commands(self, clear=False):
        """What arrived, by user: a list of (when, command)."""
        arrived = self.arrived
        if clear:
            self.arrived = {}
        return arrived

    def counts(self):
        return {"sent": dict(self.sent), "arrived": sum(map(len, self.arrived.values())), "foreign": self.foreign,
                "executed": dict(self.executed), "closed": list(self.closed), "unsent": self.unsent()}

    # -- much at once

    def blast(self, number, port, framed, count, kind):
        self.links[number][port].send_bytes(framed)
        self.sent[kind] += count

    def close(self):
        for mine in self.links:
            for link in mine.values():
                link.close()


def framed(texts):
    return b"".join(frame(text) for text in texts)


class Remote:
    """A crowd (or whatever `make` gives) in a process of its own; its methods are called by name."""

    def __init__(self, make, *arguments):
        self.pipe, theirs = FORK.Pipe()
        self.process = FORK.Process(target=work, args=(theirs, make, arguments), daemon=True)
        self.process.start()
        theirs.close()

    def call(self, name, *arguments, within=120, **more):
        self.send(name, *arguments, **more)
        return self.receive(within)

    def send(self, name, *arguments, **more):
        self.pipe.send((name, arguments, more))

    def receive(self, within=120):
        if not self.pipe.poll(within):
            raise TimeoutError("a crowd does not answer")
        answer = self.pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def kill(self):
        if self.process.is_alive():
            self.process.kill()
            self.process.join(5)
        self.pipe.close()


def work(pipe, make, arguments):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    thing = make(*arguments)
    while True:
        thing.turn(0.005)
        while pipe.poll():
            try:
                name, values, more = pipe.recv()
            except EOFError:
                return
            try:
                pipe.send(getattr(thing, name)(*values, **more))
            except Exception as error:  # the parent is told what its call came to
                pipe.send(error)
