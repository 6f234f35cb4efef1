"""Terminals on libzmq itself, as EAs are, in a process that can be frozen with all its connections open."""

import json
import time

import zmq

from senders import connect, own_context


class Dealers:
    """Terminals with a DEALER and a PUSH each; they answer pings and note when each command came."""

    def __init__(self, people, endpoints):
        self.people, self.endpoints = people, endpoints
        self.context = own_context()
        self.telemetry, self.dealers, self.confirmations = [], [], []
        self.poller, self.number = zmq.Poller(), {}
        self.arrived, self.foreign, self.sent = {}, [], 0

    def open(self):
        for index, person in enumerate(self.people):
            push = connect(self.context, zmq.PUSH, self.endpoints["ea-telemetry"])
            dealer = self.context.socket(zmq.DEALER)
            dealer.setsockopt(zmq.IDENTITY, person.identity)
            dealer.connect(self.endpoints["ea-commands"])
            dealer.send(person.hello())
            push.send(person.handshake())
            self.sent += 2
            self.telemetry.append(push)
            self.dealers.append(dealer)
            self.poller.register(dealer, zmq.POLLIN)
            self.number[dealer] = index
        self.confirmations = [connect(self.context, zmq.PUSH, self.endpoints["ea-confirmations"])
                              for _ in range(min(5, len(self.people)))]
        return time.monotonic()

    def beat(self):
        for person, push, dealer in zip(self.people, self.telemetry, self.dealers):
            push.send(person.heartbeat())
            dealer.send(person.command_heartbeat())
            self.sent += 2
        return len(self.people)

    def turn(self, seconds):
        for dealer, _ in self.poller.poll(seconds * 1000):
            person = self.people[self.number[dealer]]
            while True:
                try:
                    command = json.loads(dealer.recv_multipart(zmq.DONTWAIT)[-1])
                except zmq.Again:
                    break
                if command.get("target_uuid") != person.user:
                    self.foreign.append((person.user, command))
                    continue
                self.arrived.setdefault(person.user, []).append((time.monotonic(), command.get("ping_id")))
                if self.confirmations:
                    self.confirmations[0].send(person.pong(command.get("ping_id", "")))
                    self.sent += 1

    def report(self):
        return self.arrived, self.foreign, self.sent
