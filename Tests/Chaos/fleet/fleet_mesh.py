"""A private mesh for the fleet's faults: who listens where, what services hold, what was alerted, who fires."""

import json
import os
import threading
import time

import zmq

from broken_mesh import REDIS, BrokenMesh, memory, wait
from firing import Desk

__all__ = ["FleetMesh", "Alerts", "Desk", "wait"]


class FleetMesh(BrokenMesh):
    def address(self, name):
        return "127.0.0.1", self.ports[name]

    def addresses(self):
        return {name: self.address(name) for name in self.ports}

    def descriptors(self, name):
        return len(os.listdir(f"/proc/{self.wait_pid(name)}/fd"))

    def memory_of(self, name):
        """MB resident."""
        return memory(self.wait_pid(name))

    def memory_in_all(self):
        """The sum of the most each of the seven and Redis ever held, in MB."""
        self.look_at_memory()
        return sum(self.largest.values())

    def memory_rows(self):
        return " ".join(f"{name} {size}" for name, size in sorted(self.largest.items(), key=lambda row: -row[1]))

    def peak_memory(self):
        """The sum of all processes' peaks in MB, second ones too, and each's."""
        rows = sorted(self.peaks.items(), key=lambda row: -row[1])
        return sum(self.peaks.values()), " ".join(f"{name} {size}" for name, size in rows)

    def told(self, service, field="counters"):
        try:
            return json.loads(self.state.hash(f"service:{service}").get(field) or "{}")
        except ValueError:
            return {}

    def active(self):
        answer = self.state.ask("SCARD", "active_nodes")
        return answer if isinstance(answer, int) else 0

    def wait_active(self, count, within):
        """Seconds until so many nodes are active."""
        began = time.monotonic()
        wait(lambda: self.active() >= count, within, f"{count} nodes are active, of them {self.active()}", pause=0.05)
        return time.monotonic() - began

    def totals(self, names=(*BrokenMesh.SERVICES, REDIS)):
        return {name: self.memory_of(name) for name in names}


class Alerts:
    """Everything on port `node-alerts` from now on, with the moment it came; read by a thread of its own."""

    def __init__(self, mesh):
        self.rows, self._stop = [], threading.Event()
        context = zmq.Context.instance()
        self.socket = context.socket(zmq.SUB)
        self.socket.linger, self.socket.rcvhwm = 0, 0
        self.socket.subscribe(b"")
        self.socket.connect(mesh.endpoint("node-alerts"))
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while not self._stop.is_set():
            if self.socket.poll(50):
                text = self.socket.recv().decode("utf-8", "replace")
                word, _, body = text.partition(" ")
                if word != "NODE_ALERT":
                    self.rows.append((time.monotonic(), {"type": "no NODE_ALERT", "text": text[:200]}))
                    continue
                self.rows.append((time.monotonic(), json.loads(body)))
        self.socket.close()

    def all(self):
        return [row for _, row in list(self.rows)]

    def raised(self, *types):
        """Those that began, of these types (or all)."""
        return [row for row in self.all() if state(row) != "resolved" and (not types or row.get("type") in types)]

    def ids(self, *types):
        return {row.get("alert_id"): row for row in self.raised(*types)}

    def resolved(self, alert_id):
        return [row for row in self.all() if row.get("alert_id") == alert_id and state(row) == "resolved"]

    def types(self):
        found = {}
        for row in self.all():
            name = f"{row.get('type')}{' (resolved)' if state(row) == 'resolved' else ''}"
            found[name] = found.get(name, 0) + 1
        return "; ".join(f"{name} {count}" for name, count in sorted(found.items())) or "none"

    def close(self):
        self._stop.set()
        self.thread.join(5)


def state(row):
    is_over = str(row.get("type", "")).endswith(("_resolved", "_recovered"))
    return row.get("state") or ("resolved" if is_over else "firing")
