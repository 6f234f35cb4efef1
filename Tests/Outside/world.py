"""What every chapter of one thread works with: terminals that live on while it waits, subscribers, requests."""

import json
import time

import zmq


class World:
    def __init__(self, mesh, report, name, topics=()):
        self.mesh, self.report, self.name = mesh, report, name
        self.probes = 0
        self.context = zmq.Context()
        # Nothing here may wait without end for a mesh that doesn't take what it is sent.
        self.context.setsockopt(zmq.SNDTIMEO, 3000)
        self.terminals = []
        self.poller = zmq.Poller()
        self.heard = {}
        self.clients = {}
        self.subscribers = {name: self._subscribe(name) for name in topics}

    def _subscribe(self, name):
        socket = self.context.socket(zmq.SUB)
        socket.linger = 0
        socket.rcvhwm = 0
        socket.subscribe(b"")
        socket.connect(self.mesh.endpoint(name))
        self.poller.register(socket, zmq.POLLIN)
        self.heard[name] = []
        return socket

    def close(self):
        for terminal in self.terminals:
            terminal.close()
        for socket in list(self.subscribers.values()) + list(self.clients.values()):
            socket.close()
        self.context.term()

    # -- time passes

    def turn(self, milliseconds=20):
        """Lets every terminal live for a moment and takes what subscribers heard."""
        for terminal in self.terminals:
            terminal.pump()
        self.poller.poll(milliseconds)
        for name, socket in self.subscribers.items():
            while True:
                try:
                    self.heard[name].append(socket.recv_multipart(zmq.DONTWAIT))
                except zmq.Again:
                    break

    def until(self, title, observe, accept=bool, within=5.0):
        """Waits for what is seen to be accepted, counts it as a check, and returns what was seen last."""
        seen, elapsed = self.look(observe, accept, within)
        ok = elapsed is not None
        self.report.check(title, ok, f"{seen!r} (for {within} s)")
        return seen

    def until_within(self, title, observe, accept, limit):
        """The same for something with a promised time: waits longer, so that the failure says how long it took."""
        seen, elapsed = self.look(observe, accept, limit + 10)
        self.report.check(f"{title} (within {limit} s)", elapsed is not None and elapsed <= limit,
                          f"{seen!r}" if elapsed is None else f"{elapsed:.2f} s")
        return seen

    def look(self, observe, accept, within):
        began = time.monotonic()
        while True:
            self.turn()
            try:
                seen = observe()
                good = accept(seen)
            except Exception as error:  # a page that isn't there yet is "not yet"
                seen, good = error, False
            if good:
                return seen, time.monotonic() - began
            if time.monotonic() - began > within:
                return seen, None

    def live(self, seconds):
        """Time passes for what must not happen in it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.turn()

    # -- requests

    def ask(self, port, request, timeout=3.0):
        """One JSON object there and back by a REQ socket; an answer that doesn't come is an empty object."""
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        socket = self.clients.get(port)
        if socket is None:
            socket = self.clients[port] = self.context.socket(zmq.REQ)
            socket.linger = 0
            socket.connect(self.mesh.endpoint(port))
        socket.send(data)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.turn(1)
            if socket.poll(5):
                return json.loads(socket.recv())
        # A REQ socket that got no answer can't ask again.
        self.clients.pop(port).close()
        return {}

    def orders(self, **request):
        return self.ask("orders", request)

    def fire(self, fire_id, user, symbol="EURUSD", direction="BUY", sl=1.08, tp=None, lot=0.1, **more):
        request = {"type": "fire", "fire_id": fire_id, "user_uuid": user, "symbol": symbol, "direction": direction,
                   "sl": sl, "tp": tp, "lot": lot, **more}
        return self.orders(**{name: value for name, value in request.items() if value is not None})

    def probe(self, user):
        """Why a fire without a stop is denied: `no_stop` once the terminal and its market are known."""
        self.probes += 1
        return self.fire(f"probe-{self.name}-{self.probes}", user, sl=None).get("reason")

    def wait_for_market(self, user):
        self.until(f"the market of {user} is current", lambda: self.probe(user), lambda reason: reason == "no_stop", 10)

    # -- what was published

    def published(self, port, topic):
        """The objects behind a topic word, in their order."""
        found = []
        for frames in self.heard.get(port, []):
            head, _, tail = frames[0].partition(b" ")
            if head == topic.encode():
                found.append(json.loads(tail))
        return found

    def events(self, **fields):
        """Trade events with these fields."""
        return [event for event in self.published("trade-events", "TRADE_EVENT")
                if all(str(event.get(name)) == str(value) for name, value in fields.items())]
