"""One confirmation-logger with a Redis and ports of its own, and terminals that share no code with it."""

import hashlib
import hmac
import json
import os
import re

import zmq

from private_mesh import ROOT
from service_world import ServiceWorld


class LoggerWorld(ServiceWorld):
    SERVICE = "confirmation-logger"

    # -- looking

    def redis(self, *arguments):
        return self.mesh.redis(*[str(argument) for argument in arguments])

    def number(self, field, scope="global"):
        return int(self.redis("HGET", f"stats:{scope}", field) or 0)

    def statistics(self):
        """All of them, without the times of writing."""
        scopes = sorted(self.redis("SMEMBERS", "stats_scopes") or [])
        return {scope: {name: value for name, value in self.mesh.hash(f"stats:{scope}").items()
                        if name != "last_updated"}
                for scope in scopes}

    def service(self):
        fields = self.mesh.hash("service:confirmation-logger")
        return {name: json.loads(value) if value[:1] in "{[" else value for name, value in fields.items()}

    def stream(self):
        """The durable hand-over in order: each entry's own id and its fields."""
        found, start = [], "-"
        while True:
            rows = self.redis("XRANGE", "events:trades", start, "+", "COUNT", "2000")
            if not isinstance(rows, list) or not rows:
                return found
            for entry, fields in rows:
                found.append((entry, fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2]))))
            start = "(" + rows[-1][0]

    def stream_ids(self):
        """Event ids of the durable hand-over, in order."""
        return [fields["event_id"] for _, fields in self.stream()]

    # -- sockets

    def push(self):
        socket = self.context.socket(zmq.PUSH)
        socket.linger = 0
        socket.connect(self.mesh.endpoint("ea-confirmations"))
        return socket

    def dealer(self, kind=zmq.DEALER):
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.connect(self.mesh.endpoint("ea-receipts"))
        return socket

    def subscribe(self):
        socket = self.context.socket(zmq.SUB)
        socket.linger = 0
        socket.rcvhwm = 0
        socket.subscribe(b"TRADE_EVENT ")
        socket.connect(self.mesh.endpoint("trade-events"))
        # A subscription is known when something comes through: pongs are published and change nothing.
        push = self.push()

        def comes_through():
            push.send(b'{"type":"pong","ping_id":"hello"}')
            return socket.poll(50)
        self.wait(comes_through, 10, "the subscription is known")
        push.close()
        self.wait(lambda: not (socket.poll(200) and socket.recv()), 10, "the pongs end")
        return socket

    def ask(self, socket, message, seconds=5):
        if isinstance(message, dict) and message.get("source") == "inferred":
            message = self.signed(message)
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        socket.send(data)
        if not socket.poll(seconds * 1000):
            return None
        return json.loads(socket.recv_multipart()[-1])

    def signed(self, message):
        """As position-tracker signs what a witness showed it: HMAC-SHA256 over the compact text."""
        with open(os.path.join(self.directory, "var/witness.key"), encoding="ascii") as file:
            secret = bytes.fromhex(file.read().strip())
        text = json.dumps(message, separators=(",", ":")).encode()
        return {**message, "signature": hmac.new(secret, text, hashlib.sha256).hexdigest()}

    def event(self, socket, seconds=5):
        if not socket.poll(seconds * 1000):
            return None
        topic, _, text = socket.recv().partition(b" ")
        return json.loads(text) if topic == b"TRADE_EVENT" else None


def golden(name):
    """A line of a real EA, as bytes."""
    with open(os.path.join(ROOT, "Tests/Golden/ea-golden.jsonl"), encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["version"] == "2.05" and row["name"] == name:
                return row["text"].encode()
    return None


def own(ticket, result, profit=None, seq=None, node="NODE_1_1", user="outside_user_1", account="1", **more):
    message = {"type": "confirmation", "user_uuid": user, "node_id": node, "account": account, "currency": "EUR",
               "symbol": "EURUSD", "ticket": ticket, "result": result, "direction": "BUY", "volume": 0.1,
               "open_price": 1.1, **more}
    if profit is not None:
        message["profit"] = profit
        message["close_price"] = 1.2
    if seq is not None:
        message["seq"] = seq
    return message


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) // 1024
