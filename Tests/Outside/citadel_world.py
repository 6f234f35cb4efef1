"""One citadel-monitor with a Redis and ports of its own; this program stands in the relay's place and draws the market."""

import json
import math
import time

import zmq

from service_world import ServiceWorld

BROKER_OFFSET = 3 * 3600
NODE = "NODE_991001_109092125"


class CitadelWorld(ServiceWorld):
    SERVICE = "citadel-monitor"

    def __init__(self, products, report):
        super().__init__(products, report)
        self.relay = self.context.socket(zmq.PUB)
        self.relay.linger = 0
        self.relay.sndhwm = 0
        self.relay.bind(self.mesh.endpoint("market-relay"))
        self.sent = 0

    # -- the market

    def tick(self, symbol, bid, spread=0.0001):
        moment = time.strftime("%Y.%m.%d %H:%M:%S", time.gmtime(time.time() + BROKER_OFFSET))
        self.sent += 1
        self.relay.send(
            (f'{{"type":"TICK","node_id":"{NODE}","user_uuid":"outside_citadel_1","symbol":"{symbol}",'
             f'"bid":{bid:.5f},"ask":{bid + spread:.5f},"spread":{spread / 0.00001:.1f},"volume":0,'
             f'"timestamp":"{moment}"}}').encode())

    def bar(self, symbol, timeframe, start, opening, high, low, close):
        self.relay.send(
            (f'{{"type":"OHLC","node_id":"{NODE}","user_uuid":"outside_citadel_1","symbol":"{symbol}",'
             f'"timeframe":"{timeframe}","time":{start + BROKER_OFFSET},"open":{opening:.5f},"high":{high:.5f},'
             f'"low":{low:.5f},"close":{close:.5f},"timestamp":""}}').encode())

    def wave(self, symbol, bars=288, base=1.1):
        """A day of M5 bars (and the M15 and H1 bars of the same day) that end now: waves with clear highs and lows."""
        end = int(time.time()) // 300 * 300

        def price(moment):
            minutes = (moment - end) / 60
            return base + 0.0016 * math.sin(minutes / 31) + 0.0008 * math.sin(minutes / 11)
        for start in range(end - bars * 300, end, 300):
            for timeframe, length in (("M5", 300), ("M15", 900), ("H1", 3600)):
                finish = start + 300
                if finish % length:
                    continue
                path = [price(finish - length + length * step / 10) for step in range(11)]
                self.bar(symbol, timeframe, finish - length, path[0], max(path), min(path), path[-1])
        return price(end)

    def query(self, message, seconds=5):
        socket = self.client("citadel-queries")
        try:
            return self.ask(socket, message, seconds)
        finally:
            socket.close()

    def intake(self, message, seconds=5):
        socket = self.client("signal-intake")
        try:
            return self.ask(socket, message, seconds)
        finally:
            socket.close()

    def counter(self, name):
        """A counter of the service's own report, which is written each second or so."""
        for value in self.mesh.hash("service:citadel-monitor").values():
            if value[:1] == "{":
                found = json.loads(value).get(name)
                if found is not None:
                    return int(found)
        return 0

    # -- sockets

    def client(self, port, kind=zmq.REQ):
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.connect(self.mesh.endpoint(port))
        return socket

    @staticmethod
    def ask(socket, message, seconds=5):
        frames = message if isinstance(message, list) else [
            message if isinstance(message, bytes) else json.dumps(message).encode()]
        socket.send_multipart(frames)
        if not socket.poll(seconds * 1000):
            return None
        return json.loads(socket.recv_multipart()[-1])

    def subscribe(self, port, topic):
        socket = self.context.socket(zmq.SUB)
        socket.linger = 0
        socket.rcvhwm = 0
        socket.subscribe(topic)
        socket.connect(self.mesh.endpoint(port))
        return socket

    @staticmethod
    def heard(socket, topic):
        """Everything that has come, topic cut off."""
        found = []
        while socket.poll(0):
            text = socket.recv().decode()
            if text.startswith(topic):
                found.append(json.loads(text[len(topic):]))
        return found
