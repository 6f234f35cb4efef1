"""One citadel-monitor with a Redis and ports of its own; this program stands in the relay's place and draws the market."""

import json
import math
import os
import signal
import subprocess
import time

import zmq

from private_mesh import ROOT, PrivateMesh

BROKER_OFFSET = 3 * 3600
NODE = "NODE_991001_109092125"


class CitadelWorld:
    def __init__(self, products, report):
        self.report = report
        self.mesh = PrivateMesh(products)
        self.context = zmq.Context()
        self.directory = self.mesh.directory
        self.program = os.path.join(self.mesh.products, "citadel-monitor")
        self.service = self.redis_server = None
        self.relay = self.context.socket(zmq.PUB)
        self.relay.linger = 0
        self.relay.sndhwm = 0
        self.relay.bind(self.mesh.endpoint("market-relay"))
        self.sent = 0

    # -- processes

    def start_redis(self):
        os.makedirs(os.path.join(self.directory, "redis"), exist_ok=True)
        with open(os.path.join(self.directory, "redis.log"), "ab") as log:
            self.redis_server = subprocess.Popen(
                [f"{ROOT}/deploy/scripts/redis_server.sh", f"{ROOT}/deploy/config/redis.conf", "--port",
                 str(self.mesh.ports["state"]), "--dir", os.path.join(self.directory, "redis"), "--bind", "127.0.0.1"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait(lambda: self.mesh.redis("PING") == "PONG", 10, "redis answers")

    def start(self):
        with open(os.path.join(self.directory, "citadel.log"), "ab") as log:
            self.service = subprocess.Popen(
                [self.program, "--config", self.mesh.config], env=self.mesh.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        ready = os.path.join(self.directory, "var/run/citadel-monitor.ready")

        def is_ready():
            try:
                with open(ready, encoding="utf-8") as file:
                    return file.read().split()[0] == str(self.service.pid)
            except (OSError, IndexError):
                return False
        self.wait(is_ready, 15, "citadel-monitor is ready")

    def kill(self):
        self.service.send_signal(signal.SIGKILL)
        self.service.wait(5)

    def close(self, keep):
        for process in (self.service, self.redis_server):
            if process and process.poll() is None:
                process.kill()
                process.wait(5)
        self.context.destroy(linger=0)
        self.mesh.clean_up(keep)

    def log(self):
        with open(os.path.join(self.directory, "citadel.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait(self, condition, seconds, what, pause=0.01):
        deadline = time.monotonic() + seconds
        while True:
            seen = condition()
            if seen:
                return seen
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {seconds} s; the log ends:\n{self.log()[-1500:]}")
            time.sleep(pause)

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
