"""A mesh without a supervisor: each service is a child of this process, so that it can be given an environment."""

import os
import subprocess
import threading

from broken_mesh import REDIS
from fleet_mesh import FleetMesh, wait
from private_mesh import ROOT, free_port

OWNERS = {"ea-commands": "position-tracker", "ea-telemetry": "handshake-processor",
          "ea-confirmations": "confirmation-logger"}


class DirectMesh(FleetMesh):
    """`listeners` adds rows to ports.yaml: name -> (serves, socket, further fields)."""

    def __init__(self, products, listeners=None):
        super().__init__(products)
        taken = set(self.ports.values())
        with open(os.path.join(self.directory, "ports.yaml"), "a", encoding="utf-8") as file:
            for name, (serves, word, more) in (listeners or {}).items():
                self.ports[name] = free_port(taken)
                file.write(f"  - {{ port: {self.ports[name]}, name: {name}, serves: {serves}, "
                           f"service: {OWNERS[serves]}, socket: {word}{more} }}\n")
        self.children = {}

    def begin(self):
        os.makedirs(os.path.join(self.directory, "redis"))
        os.makedirs(os.path.join(self.directory, "logs"), exist_ok=True)
        self._run(REDIS, [os.path.join(ROOT, "deploy/scripts/redis_server.sh"),
                          os.path.join(ROOT, "deploy/config/redis.conf"), "--port", str(self.ports["state"]),
                          "--dir", os.path.join(self.directory, "redis"), "--bind", "127.0.0.1"])
        wait(self.state.answers, 10, "Redis answers")
        for name in self.SERVICES:
            self._run(name, [os.path.join(self.products, name), "--config", self.config])
        wait(lambda: all(self.pid(name) for name in self.SERVICES), 30, "the services are ready")
        self._watching.set()
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def _run(self, name, command):
        with open(os.path.join(self.directory, "logs", f"{name}.log"), "wb") as log:
            self.children[name] = subprocess.Popen(
                command, cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT)

    def pid(self, name):
        child = self.children.get(name)
        if child is None or child.poll() is not None:
            return None
        if name == REDIS:
            return child.pid
        try:
            with open(self.run(f"{name}.ready"), encoding="utf-8") as file:
                return child.pid if int(file.read().split()[0]) == child.pid else None
        except (OSError, ValueError, IndexError):
            return None

    def end(self, keep):
        for child in reversed(self.children.values()):
            if child.poll() is None:
                child.terminate()
        for child in self.children.values():
            try:
                child.wait(8)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(5)
        super().end(keep)
