"""A terminal that says only what a dialogue tells it to; its quotes run by themselves."""

import datetime
import json
import time

import zmq

from dialogue_messages import build

DEALERS = ("2.05", "2.06H", "own")


class ScriptedTerminal:
    def __init__(self, context, mesh, name, place, options):
        self.context, self.mesh = context, mesh
        self.version = options.get("version", "2.05")
        self.user = options.get("user", f"dlg_{place:03d}_{name}_x")
        self.account = int(options.get("account", 8_000_000 + place * 10 + ord(name) - ord("A")))
        self.server = options.get("server", f"Dialogue-{place:03d}")
        self.chart = options.get("chart", "EURUSD.r")
        self.extra = {key: options[key] for key in ("currency", "balance", "equity", "company") if key in options}
        self.offset = 3 * 3600
        self.identity = options.get("identity", self.user[:-1]).encode()
        self.starts = 0
        self.renew()
        self.quotes = {self.chart: (options.get("bid", "1.08490"), options.get("ask", "1.08500"))}
        self.ticking = True
        self.last = 0.0
        self.received, self.replies = [], []
        self.sockets = {}
        self.connect()

    def renew(self):
        """Another run of the EA is another node."""
        self.starts += 1
        self.node = f"NODE_{self.account}_{self.starts * 1000 + int(time.monotonic() * 10) % 1000}"

    def connect(self):
        self.disconnect()
        ports = {"ea-telemetry": zmq.PUSH, "ea-confirmations": zmq.PUSH}
        if self.version in DEALERS:
            ports["ea-commands"] = zmq.DEALER
        for port, kind in ports.items():
            self.open(port, kind, self.identity if kind == zmq.DEALER else None)

    def open(self, port, kind, identity=None):
        if port in self.sockets:
            self.sockets.pop(port).close()
        socket = self.context.socket(kind)
        socket.linger = 500
        if identity is not None:
            socket.setsockopt(zmq.IDENTITY, identity)
        socket.connect(self.mesh.endpoint(port))
        self.sockets[port] = socket
        return socket

    def disconnect(self):
        for socket in self.sockets.values():
            socket.close()
        self.sockets = {}

    # -- words

    def broker_time(self, seconds=0):
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.offset + seconds)
        return moment.strftime("%Y.%m.%d %H:%M:%S")

    def values(self):
        bid, ask = self.quotes[self.chart]
        return {"user": self.user, "node": self.node, "account": str(self.account), "server": self.server,
                "chart": self.chart, "bid": bid, "ask": ask, "time": self.broker_time(), "version": self.version,
                "broker_epoch": str(int(time.time()) + self.offset), **self.extra}

    def say(self, port, *frames):
        if port not in self.sockets and port == "ea-receipts":
            self.open(port, zmq.DEALER)
        self.sockets[port].send_multipart(frames)

    def introduce(self):
        if self.version in DEALERS:
            self.say("ea-commands", build("HELLO", {}, self.values()).encode())
        if self.version != "7.01":
            self.say("ea-telemetry", build("handshake", {}, self.values()).encode())
        else:
            self.say("ea-telemetry", build("status_7.01", {}, self.values()).encode())

    # -- life

    def pump(self):
        """Quotes each symbol every 0.3 s; takes in what came, without acting on it."""
        now = time.monotonic()
        if self.ticking and self.sockets and self.version != "7.01" and now - self.last >= 0.3:
            self.last = now
            for symbol, (bid, ask) in self.quotes.items():
                text = build("TICK", {"chart": symbol, "bid": bid, "ask": ask}, self.values())
                self.sockets["ea-telemetry"].send(text.encode())
        for port, kept in (("ea-commands", self.received), ("ea-receipts", self.replies)):
            while port in self.sockets:
                try:
                    kept.append(self.sockets[port].recv_multipart(zmq.DONTWAIT))
                except (zmq.Again, zmq.ZMQError):
                    break


def decoded(frames):
    """The object in a message's last frame; what isn't one is shown as it is."""
    try:
        return json.loads(frames[-1])
    except ValueError:
        return {"not_json": frames[-1].decode("latin-1")}
