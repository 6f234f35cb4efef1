"""Senders at a rate and subscribers that count: each tick carries its number or its moment in `volume`."""

import re
import struct
import time

import zmq

from wire import LARGE, Link, Loop, frame

BASE = 10**12
HEARTBEAT = 20.0
VOLUME = re.compile(rb'"volume":(\d+)')


class Form:
    """A person's tick, framed, with 13 digits to fill in."""

    def __init__(self, person):
        text = person.tick(volume=BASE)
        before, _, after = text.partition(str(BASE).encode())
        size = len(text)
        head = bytes((0, size)) if size < 256 else bytes((LARGE,)) + struct.pack(">Q", size)
        self.before, self.after = head + before, after

    def framed(self, number):
        return b"%b%013d%b" % (self.before, BASE + number, self.after)


class Stream:
    """Terminals that send so many ticks a second together; each tick's `volume` is its moment in microseconds."""

    def __init__(self, people, endpoint, random):
        self.loop = Loop(random)
        self.people = people
        self.links = [Link(self.loop, endpoint, b"PUSH", source=person.source) for person in people]
        self.rate, self.due, self.last, self.place = 0.0, 0.0, time.monotonic(), 0
        self.sent, self.forms, self.formed_at = 0, [], 0.0
        self.beats = None

    def open(self, within=0.0):
        began = time.monotonic()
        for index, (person, link) in enumerate(zip(self.people, self.links)):
            link.open()
            link.send(person.handshake())
            while time.monotonic() - began < within * index / len(self.links):
                self.loop.turn(0.002)
        self.form()
        self.beats = 0
        self.opened_at = time.monotonic()
        return len(self.links)

    def ready(self):
        return sum(link.ready_at is not None for link in self.links)

    def form(self):
        """The texts of this second: the broker's time is in them."""
        self.forms, self.formed_at = [Form(person) for person in self.people], time.monotonic()

    def run(self, rate):
        """Returns what was sent so far; the new rate holds from now."""
        self.rate, self.due, self.last = rate, 0.0, time.monotonic()
        return self.sent

    def turn(self, seconds):
        self.loop.turn(min(seconds, 0.005))
        now = time.monotonic()
        self.due = min(self.due + (now - self.last) * self.rate, self.rate / 4)
        self.last = now
        if now - self.formed_at > 5:
            self.form()
        if self.beats is not None:
            # One after the other: a fleet's heartbeats come when each of them was started.
            due = int((now - self.opened_at) * len(self.links) / HEARTBEAT)
            for number in range(self.beats, due):
                self.links[number % len(self.links)].send(self.people[number % len(self.links)].heartbeat())
            self.beats = due
        count = int(self.due)
        self.due -= count
        self.sent += count
        people = len(self.links)
        share = -(-count // people)
        while count > 0:
            some = min(share, count)
            moment = time.monotonic_ns() // 1000
            form = self.forms[self.place]
            self.links[self.place].send_bytes(b"".join(form.framed(moment) for _ in range(some)))
            self.place = (self.place + 1) % people
            count -= some

    def unsent(self):
        return sum(len(link.out) for link in self.links)


class Flood:
    """One terminal out of its mind; where the port does not take more, it sends less.

    Of a hundred frames one is a heartbeat; with `beats_only` all are. So many confirmations a second go to the other
    port, each with a ticket of its own.
    """

    CONFIRMATIONS = 50.0

    def __init__(self, person, endpoint, confirmations, random):
        self.loop = Loop(random)
        self.person = person
        self.link = Link(self.loop, endpoint, b"PUSH")
        self.told = Link(self.loop, confirmations, b"PUSH")
        self.rate, self.last, self.due, self.sent, self.kept_back = 0.0, time.monotonic(), 0.0, 0, 0
        self.tickets, self.due_told = [], 0.0

    def open(self):
        self.link.open()
        self.told.open()
        self.link.send(self.person.handshake())

    def run(self, rate, beats_only=False):
        beat = frame(self.person.heartbeat())
        self.block = beat * 100 if beats_only else Form(self.person).framed(0) * 99 + beat
        self.rate, self.due, self.last = rate, 0.0, time.monotonic()
        return self.sent, self.kept_back

    def confirmed(self):
        """Tickets that were told of, once all of it is out."""
        return None if self.told.out else self.tickets

    def confirm(self, seconds):
        self.due_told += seconds * self.CONFIRMATIONS if self.rate else 0.0
        while self.due_told >= 1:
            self.due_told -= 1
            self.tickets.append(self.person.account * 1000 + len(self.tickets))
            self.told.send(self.person.opened(f"loud-{len(self.tickets)}", self.tickets[-1]))

    def turn(self, seconds):
        self.loop.turn(min(seconds, 0.002))
        now = time.monotonic()
        self.due = min(self.due + (now - self.last) * self.rate, self.rate / 4)
        self.confirm(now - self.last)
        self.last = now
        while self.due >= 100:
            self.due -= 100
            if self.link.out:
                self.kept_back += 100
            else:
                self.sent += 100
                self.link.send_bytes(self.block)


class Listener:
    """A subscriber of the relay: how many it got of whom, and how long they took; `speed` messages a second at most."""

    def __init__(self, endpoint, mark, speed=0, high_water_mark=200_000):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.SUB)
        self.socket.rcvhwm, self.socket.linger = high_water_mark, 0
        self.socket.subscribe(b"")
        self.socket.connect(endpoint)
        self.mark, self.speed = mark, speed
        self.count = self.others = 0
        self.delays = []
        self.allowed, self.last = 0.0, time.monotonic()

    def turn(self, seconds):
        now = time.monotonic()
        if self.speed:
            self.allowed = min(self.allowed + (now - self.last) * self.speed, self.speed / 10)
            self.last = now
            if self.allowed < 1:
                time.sleep(seconds)
                return
        elif not self.socket.poll(seconds * 1000):
            return
        for _ in range(int(self.allowed) if self.speed else 2000):
            try:
                data = self.socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                break
            self.allowed -= bool(self.speed)
            if self.mark not in data:
                self.others += 1
                continue
            self.count += 1
            self.delays.append(time.monotonic_ns() // 1000 + BASE - int(VOLUME.search(data)[1]))

    def take(self):
        """(of those marked, of others, delays in microseconds since the last call)"""
        delays, self.delays = self.delays, []
        return self.count, self.others, delays
