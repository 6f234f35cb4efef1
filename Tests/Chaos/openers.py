"""Those who fire: many clients of `orders` in one process, each with one request under way."""

import collections
import json
import random
import time

import zmq

PATIENCE = 3.0
# How long one waits who hears that nothing can be fired now.
BACK_OFF = {"state_unavailable": 0.5, "node_offline": 0.2, "market_quiet": 0.2}


class Opener:
    """Fires, looks and closes by chance. A fire without an answer is asked again under its own id: it may have left."""

    def __init__(self, number, context, endpoint, users, dice, lifetime):
        self.number, self.context, self.endpoint = number, context, endpoint
        self.users, self.dice, self.lifetime = users, dice, lifetime
        self.socket = self._connect()
        self.request = None
        self.asked_at = self.free_at = 0.0
        self.fires = 0

    def _connect(self):
        socket = self.context.socket(zmq.DEALER)
        socket.linger = 0
        socket.connect(self.endpoint)
        return socket

    def begin(self, now):
        """A new request; whether it is an attempt to open."""
        user = self.dice.choice(self.users)
        chance = self.dice.random()
        if chance < 0.12:
            self._ask({"type": "positions", "user_uuid": user, "state": "open"}, now)
            return False
        if chance < 0.13:
            self._ask({"type": "close_all", "user_uuid": user}, now)
            return False
        self.fires += 1
        self._ask({"type": "fire", "fire_id": f"fire-{self.number}-{self.fires}", "user_uuid": user, "symbol": "EURUSD",
                   "direction": self.dice.choice(("BUY", "SELL")), "lot": 0.01,
                   "expires_at_ms": int((time.time() + self.lifetime) * 1000)}, now)
        return True

    def _ask(self, request, now):
        if request["type"] == "fire":
            request["sl"] = 1.08 if request["direction"] == "BUY" else 1.09
        self.request, self.asked_at = request, now
        self.socket.send(json.dumps(request).encode(), zmq.DONTWAIT)

    def hear(self, now, counts):
        try:
            answer = json.loads(self.socket.recv_multipart(zmq.DONTWAIT)[-1])
        except zmq.Again:
            if now - self.asked_at > PATIENCE:
                counts["without an answer"] += 1
                self.socket.close()
                self.socket = self._connect()
                self._ask(self.request, now)
            return
        request, self.request = self.request, None
        if request["type"] == "fire":
            state = answer.get("state") if answer.get("ok") else "refused"
            counts[f"{state} {answer.get('reason') or ''}".strip()] += 1
            self.free_at = now + BACK_OFF.get(answer.get("reason"), 0.0)
        elif request["type"] == "positions" and answer.get("items"):
            ticket = self.dice.choice(answer["items"])["ticket"]
            counts["closes asked"] += 1
            self._ask({"type": "close", "user_uuid": request["user_uuid"], "ticket": ticket}, now)


def run(pipe, endpoint, users, openers, attempts, rate, seed, lifetime):
    """All attempts at a rate, then the answers still due; gives back what was answered how often."""
    context = zmq.Context()
    dice = random.Random(seed)
    everybody = [Opener(f"{seed}-{number}", context, endpoint, users, dice, lifetime) for number in range(openers)]
    counts, made, began = collections.Counter(), 0, time.monotonic()
    while True:
        now = time.monotonic()
        for opener in everybody:
            if opener.request:
                opener.hear(now, counts)
        due = min(attempts, int((now - began) * rate)) - made
        free = [opener for opener in everybody if not opener.request and opener.free_at <= now]
        dice.shuffle(free)
        for opener in free:
            if due <= 0:
                break
            is_attempt = opener.begin(now)
            made += is_attempt
            due -= is_attempt
        if made >= attempts and (not any(o.request for o in everybody) or pipe.poll()):
            break
        time.sleep(0.003)
    pipe.send((made, time.monotonic() - began, dict(counts)))
