"""Five thousand terminals as node-registry would have written them, a Redis of their own, and health-dashboard alone.

A mesh of 5,000 real connections would measure the machine, not the window; what the window reads is the same.
"""

import os
import random
import signal
import socket
import subprocess
import time

from private_mesh import ROOT, PrivateMesh

TERMINALS = 5000
SEED = 20261121
HOSTILE = "<img src=x onerror=document.title='owned'>"
BROKERS = [
    "Alpine Trading AG",
    "Harbour Capital Pty",
    "Kestrel FX",
    "Northwind Markets Ltd",
    "Société Lumière",
    HOSTILE,
]


class Wire:
    """Commands to Redis as one pipeline. Source: the Redis serialization protocol, RESP2."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.reader = self.socket.makefile("rb")
        self.waiting = 0

    def send(self, *words):
        parts = [str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        self.waiting += 1
        if self.waiting >= 500:
            self.flush()

    def flush(self):
        for _ in range(self.waiting):
            line = self.reader.readline()
            if line.startswith(b"-"):
                raise RuntimeError(line.decode())
            if line.startswith(b"$") and int(line[1:]) >= 0:
                self.reader.read(int(line[1:]) + 2)
        self.waiting = 0


class Crowd:
    def __init__(self, products, terminals=TERMINALS):
        self.mesh = PrivateMesh(products)
        self.terminals = terminals
        self.port = self.mesh.ports["health"]
        self.random = random.Random(SEED)
        folder = self.mesh.directory
        os.makedirs(os.path.join(folder, "redis"), exist_ok=True)
        state = str(self.mesh.ports["state"])
        self.log = open(os.path.join(folder, "crowd.log"), "wb")
        self.redis = subprocess.Popen(
            [
                "redis-server",
                "--port",
                state,
                "--bind",
                "127.0.0.1",
                "--dir",
                os.path.join(folder, "redis"),
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--maxmemory-policy",
                "noeviction",
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        self._until(lambda: self.mesh.listens(self.mesh.ports["state"]), "Redis")
        self.wire = Wire(self.mesh.ports["state"])
        self.seed()
        self.dashboard = None
        self.start()

    def start(self):
        self.dashboard = subprocess.Popen(
            [
                os.path.join(self.mesh.products, "health-dashboard"),
                "--config",
                self.mesh.config,
                "--redis",
                f"redis://127.0.0.1:{self.mesh.ports['state']}",
            ],
            cwd=ROOT,
            env=self.mesh.environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        self._until(lambda: self.mesh.page("/nodes?limit=1")[1].get("total") == self.terminals, "5,000 terminals")

    def _until(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.05)
        raise RuntimeError(f"{what}: not there in {seconds} s, see {self.log.name}")

    def seed(self):
        now = int(time.time() * 1000)
        for number in range(self.terminals):
            node, user = f"NODE_{200000 + number}", f"crowd_{number:05d}"
            broker = BROKERS[number % len(BROKERS)]
            balance = self.random.randrange(10_000, 10_000_000) / 100
            liveness = "live" if number % 50 else self.random.choice(["quiet", "late", "stale", "dead"])
            fields = {
                "node_id": node,
                "user_uuid": user,
                "account": 200000 + number,
                "server": f"Server-{number % 40}",
                "broker": broker,
                "terminal": "MetaTrader 5",
                "currency": "USD" if number % 3 else "EUR",
                "leverage": 100,
                "balance": f"{balance:.2f}",
                "equity": f"{balance * 1.01:.2f}",
                "margin": "0.00",
                "version": ["2.05", "2.06H", "7.01"][number % 3],
                "chart_symbol": ["EURUSD", "GBPUSD", "XAUUSD"][number % 3],
                "status": "active",
                "liveness": liveness,
                "connection": "up",
                "first_seen": now - 7_200_000,
                "connected_at": now - 3_600_000,
                "last_heartbeat": now - number % 30_000,
                "last_seen": now,
                "uptime_s": 3600,
                "heartbeats": 120,
                "heartbeat_latency_ms": number % 90,
            }
            self.wire.send("HSET", f"node:{node}", *(word for pair in fields.items() for word in pair))
            self.wire.send("SADD", "active_nodes", node)
            self.wire.send("ZADD", "all_nodes", now - number, node)
            self.wire.send("ZADD", "node_last_seen", now - number % 30_000, node)
            self.wire.send("SADD", "users", user)
            self.wire.send(
                "HSET",
                f"user:{user}",
                "user_uuid",
                user,
                "tier",
                ["SOLO", "TEAM", "FLEET"][number % 3],
                "state",
                "active",
                "created_at",
                now,
            )
        for number in range(400):
            key = f"Server-{number % 40}|{200000 + number}|{700000 + number}"
            fields = {
                "user_uuid": f"crowd_{number:05d}",
                "node_id": f"NODE_{200000 + number}",
                "server": f"Server-{number % 40}",
                "account": 200000 + number,
                "ticket": 700000 + number,
                "symbol": "EURUSD",
                "canonical_symbol": "EURUSD",
                "direction": "BUY" if number % 2 else "SELL",
                "lot": "0.10",
                "open_price": "1.10000",
                "state": "open",
                "opened_at": now - 60_000 * number,
                "currency": "USD",
                "current_price": "1.10100",
                "current_pnl": f"{self.random.randrange(-5000, 5000) / 100:.2f}",
                "fire_id": f"crowd-{number}",
            }
            self.wire.send("HSET", f"position:{key}", *(word for pair in fields.items() for word in pair))
            self.wire.send("SADD", "all_open_positions", key)
        self.wire.flush()

    def beat(self, count=400):
        """A second of a living fleet: heartbeats of some terminals, with new figures."""
        now = int(time.time() * 1000)
        for _ in range(count):
            number = self.random.randrange(self.terminals)
            node = f"NODE_{200000 + number}"
            self.wire.send(
                "HSET",
                f"node:{node}",
                "equity",
                f"{self.random.randrange(10_000, 10_000_000) / 100:.2f}",
                "last_heartbeat",
                now,
                "last_seen",
                now,
            )
            self.wire.send("ZADD", "node_last_seen", now, node)
        self.wire.flush()

    def processor_seconds(self):
        with open(f"/proc/{self.dashboard.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def address(self, path="/dashboard"):
        return f"http://127.0.0.1:{self.port}{path}"

    def stop_dashboard(self):
        self.dashboard.send_signal(signal.SIGTERM)
        self.dashboard.wait(10)

    def close(self):
        for process in (self.dashboard, self.redis):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(10)
        self.log.close()
        self.mesh.clean_up(keep=False)
