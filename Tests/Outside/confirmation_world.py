"""One confirmation-logger with a Redis and ports of its own, and terminals that share no code with it."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import time

import zmq

from private_mesh import ROOT, PrivateMesh


class LoggerWorld:
    def __init__(self, products, report):
        self.report = report
        self.mesh = PrivateMesh(products)
        self.context = zmq.Context()
        self.program = os.path.join(self.mesh.products, "confirmation-logger")
        self.logger = self.redis_server = None
        self.directory = self.mesh.directory
        os.makedirs(os.path.join(self.directory, "redis"), exist_ok=True)
        self.starts = 0

    # -- processes

    def start_redis(self, *options):
        with open(os.path.join(self.directory, "redis.log"), "ab") as log:
            self.redis_server = subprocess.Popen(
                [f"{ROOT}/deploy/scripts/redis_server.sh", f"{ROOT}/deploy/config/redis.conf", "--port",
                 str(self.mesh.ports["state"]),
                 "--dir", os.path.join(self.directory, "redis"), "--bind", "127.0.0.1", *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait(lambda: self.redis("PING") == "PONG", 10, "redis answers")

    def launch_logger(self):
        self.starts += 1
        with open(os.path.join(self.directory, "logger.log"), "ab") as log:
            self.logger = subprocess.Popen(
                [self.program, "--config", self.mesh.config], env=self.mesh.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)

    def start_logger(self):
        self.launch_logger()
        ready = os.path.join(self.directory, "var/run/confirmation-logger.ready")

        def is_ready():
            try:
                with open(ready, encoding="utf-8") as file:
                    return file.read().split()[0] == str(self.logger.pid)
            except (OSError, IndexError):
                return False
        self.wait(is_ready, 15, "the logger is ready")

    def kill_logger(self):
        self.logger.kill()
        self.logger.wait(5)

    def log(self):
        with open(os.path.join(self.directory, "logger.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self, keep):
        for process in (self.logger, self.redis_server):
            if process and process.poll() is None:
                process.kill()
                process.wait(5)
        self.context.destroy(linger=0)
        self.mesh.clean_up(keep)

    # -- looking

    def wait(self, condition, seconds, what, pause=0.005):
        deadline = time.monotonic() + seconds
        while True:
            seen = condition()
            if seen:
                return seen
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {seconds} s; the log ends:\n{self.log()[-2000:]}")
            time.sleep(pause)

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
    """A line of a real EA, as bytes; the file stands beside the checkout."""
    path = os.path.join(ROOT, "..", "shared", "ea-golden.jsonl")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
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
