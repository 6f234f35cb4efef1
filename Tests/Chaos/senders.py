"""One process of terminals: real sockets, a rate, its own record of what it sent and what was answered."""

import array
import json
import random
import time

import zmq

from terminals import OWN

TURN = 0.01
HEARTBEAT = 25.0


class Publisher:
    """A terminal that pushes and hears nothing: what libzmq took counts as sent."""

    def __init__(self, terminal, context, endpoints):
        self.terminal = terminal
        self.socket = connect(context, zmq.PUSH, endpoints["ea-confirmations"])
        self.sent = 0
        self.times = array.array("d")

    def step(self):
        try:
            self.socket.send(self.terminal.message(self.sent), zmq.DONTWAIT)
        except zmq.Again:
            return False
        self.times.append(time.monotonic())
        self.sent += 1
        return True

    def hear(self, now):
        """Nothing comes back on this port."""

    is_done = True

    def close(self):
        self.socket.close(linger=60_000)


class Receiver:
    """A terminal that is answered: it numbers its messages, and after silence asks from where to go on."""

    # One at a time, as the own form (ea-simulator's, and every REQ socket) does: the next goes when the last is on disk.
    WINDOW = 1
    # It grows with every silence and shrinks with every answer: who asks a busy server again and again makes it worse.
    FIRST_PATIENCE, LONGEST_PATIENCE = 1.0, 16.0

    def __init__(self, terminal, context, endpoints):
        self.terminal, self.context, self.endpoint = terminal, context, endpoints["ea-receipts"]
        self.socket = connect(context, zmq.DEALER, self.endpoint)
        # `sent` is how many it has said at least once, `confirmed` how many from the first on are on disk for sure.
        self.sent = self.confirmed = self.resent = self.resumes = self.duplicates = 0
        self.refused = []
        self.answered = set()
        self.again = []
        self.is_asking = False
        self.patience, self.heard_at = Receiver.FIRST_PATIENCE, time.monotonic()
        self.times = array.array("d")
        self.slowest = 0.0

    @property
    def is_done(self):
        return self.confirmed == self.sent

    def step(self):
        if self.is_asking or self.again or self.sent - self.confirmed >= Receiver.WINDOW:
            return False
        if self.is_done:
            self.heard_at = time.monotonic()
        if not self._send(self.sent):
            return False
        self.times.append(time.monotonic())
        self.sent += 1
        return True

    def _send(self, index):
        try:
            self.socket.send(self.terminal.message(index), zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True

    def hear(self, now):
        if self.is_done and not self.is_asking:
            return
        while True:
            try:
                answer = json.loads(self.socket.recv_multipart(zmq.DONTWAIT)[-1])
            except zmq.Again:
                break
            self._take(answer, now)
        while self.again and self._send(self.again[0]):
            self.again.pop(0)
            self.resent += 1
        if now - self.heard_at > self.patience:
            self._resume(now)

    def _take(self, answer, now):
        before = self.confirmed
        if "next_seq" in answer:
            self.is_asking = False
            self.answered.update(range(self.confirmed, min(self.sent, answer["next_seq"] - 1)))
            self._advance()
            self.again = [index for index in range(self.confirmed, self.sent) if index not in self.answered]
        elif answer.get("ok") and isinstance(answer.get("seq"), int):
            self.answered.add(answer["seq"] - 1)
            self.duplicates += bool(answer.get("duplicate"))
            self._advance()
        elif self.is_asking:
            # It can't be told from where: everything that has no answer goes again.
            self.is_asking = False
            self.again = [index for index in range(self.confirmed, self.sent) if index not in self.answered]
        else:
            self.refused.append(answer)
        if self.confirmed > before or self.again:
            # Patience is for the oldest one without an answer, however many behind it have theirs.
            self.slowest = max(self.slowest, now - self.heard_at)
            self.heard_at, self.patience = now, max(Receiver.FIRST_PATIENCE, 0.75 * self.patience)

    def _advance(self):
        while self.confirmed in self.answered:
            self.answered.discard(self.confirmed)
            self.confirmed += 1

    def _resume(self, now):
        """No answer: a new connection, and the question from where to send again."""
        self.socket.close(linger=0)
        self.socket = connect(self.context, zmq.DEALER, self.endpoint)
        self.resumes += 1
        self.is_asking, self.again = True, []
        self.heard_at, self.patience = now, min(Receiver.LONGEST_PATIENCE, 2 * self.patience)
        self.socket.send(json.dumps({"type": "resume", "node_id": self.terminal.node}).encode())

    def close(self):
        self.socket.close(linger=0)


def own_context():
    context = zmq.Context()
    context.set(zmq.MAX_SOCKETS, 16_000)
    return context


def connect(context, kind, endpoint):
    socket = context.socket(kind)
    # Terminals have machines of their own: here thousands of reconnections a second would only take the mesh's two cores.
    socket.setsockopt(zmq.RECONNECT_IVL, 200)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
    socket.connect(endpoint)
    return socket


def run(pipe, terminals, endpoints, rates, targets, seed):
    """Sends until the targets are reached or it is told to stop, then until all is answered; gives back its record.

    `rates` and `targets` are of this process: messages a second and messages, for pushed and for answered ones.
    """
    # A thread for the sockets of each port: one for all of them spends its time on thousands of reconnections to the ports
    # that are gone, and leaves unread that a port which is still there asked to be let go of. A terminal has its own.
    contexts = [own_context() for _ in range(3)]
    everybody = [Receiver(t, contexts[0], endpoints) if t.version == OWN else Publisher(t, contexts[1], endpoints)
                 for t in terminals]
    telemetry = [connect(contexts[2], zmq.PUSH, endpoints["ea-telemetry"]) for _ in terminals]
    for terminal, socket in zip(terminals, telemetry):
        socket.send(terminal.handshake())
    groups = [Group([s for s in everybody if isinstance(s, Publisher)], rates[0], targets[0], seed),
              Group([s for s in everybody if isinstance(s, Receiver)], rates[1], targets[1], seed + 1)]
    pipe.send("connected")
    pipe.recv()
    began = next_heartbeat = time.monotonic()
    deadline = None
    while True:
        now = time.monotonic()
        for sender in groups[1].members:
            sender.hear(now)
        if deadline is None:
            for group in groups:
                group.send(now - began)
            if pipe.poll() or all(group.is_done for group in groups):
                deadline = now + 90
                seconds = now - began
        elif now > deadline or all(sender.is_done for sender in everybody):
            break
        if now > next_heartbeat:
            next_heartbeat = now + HEARTBEAT
            for terminal, socket in zip(terminals, telemetry):
                socket.send(terminal.heartbeat(), zmq.DONTWAIT)
        time.sleep(max(0.0, TURN - (time.monotonic() - now)))
    record = {s.terminal.number: (s.sent, getattr(s, "confirmed", None), s.times.tobytes(), vars_of(s))
              for s in everybody}
    for sender in everybody:
        sender.close()
    for socket in telemetry:
        socket.close(linger=1000)
    # Ends when everything that libzmq took has left.
    for context in contexts:
        context.term()
    pipe.send((seconds, record))


def vars_of(sender):
    return {name: getattr(sender, name, None) for name in ("resent", "resumes", "duplicates", "slowest", "refused")}


class Group:
    """Terminals of one port, spoken for in a shuffled order at a rate of all together."""

    def __init__(self, members, rate, target, seed):
        self.members, self.rate, self.target = members, rate, target if members else 0
        self.sent = 0
        self.order = list(members)
        random.Random(seed).shuffle(self.order)
        self.place = 0

    @property
    def is_done(self):
        return self.sent >= self.target

    def send(self, elapsed):
        due = min(self.target, int(elapsed * self.rate)) - self.sent
        idle = 0
        while due > 0 and idle < len(self.order):
            sender = self.order[self.place]
            self.place = (self.place + 1) % len(self.order)
            if sender.step():
                self.sent += 1
                due -= 1
                idle = 0
            else:
                idle += 1
