"""One service by itself, with a Redis and ports of its own, for a program that shares no code with it."""

import os
import subprocess
import time

import zmq

from private_mesh import ROOT, PrivateMesh


class ServiceWorld:
    # What the executable is called; its log is kept under the same name.
    SERVICE = ""

    def __init__(self, products, report):
        self.report = report
        self.mesh = PrivateMesh(products)
        self.context = zmq.Context()
        self.directory = self.mesh.directory
        self.program = os.path.join(self.mesh.products, self.SERVICE)
        self.process = self.redis_server = None
        os.makedirs(os.path.join(self.directory, "redis"), exist_ok=True)

    # -- processes

    def start_redis(self, *options):
        with open(os.path.join(self.directory, "redis.log"), "ab") as log:
            self.redis_server = subprocess.Popen(
                [f"{ROOT}/deploy/scripts/redis_server.sh", f"{ROOT}/deploy/config/redis.conf", "--port",
                 str(self.mesh.ports["state"]), "--dir", os.path.join(self.directory, "redis"), "--bind", "127.0.0.1",
                 *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait(lambda: self.mesh.redis("PING") == "PONG", 10, "redis answers")

    def launch(self):
        with open(os.path.join(self.directory, f"{self.SERVICE}.log"), "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--config", self.mesh.config], env=self.mesh.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)

    def start(self):
        self.launch()
        ready = os.path.join(self.directory, f"var/run/{self.SERVICE}.ready")

        def is_ready():
            try:
                with open(ready, encoding="utf-8") as file:
                    return file.read().split()[0] == str(self.process.pid)
            except (OSError, IndexError):
                return False
        self.wait(is_ready, 15, f"{self.SERVICE} is ready")

    def kill(self):
        self.process.kill()
        self.process.wait(5)

    def log(self):
        path = os.path.join(self.directory, f"{self.SERVICE}.log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self, keep):
        for process in (self.process, self.redis_server):
            if process and process.poll() is None:
                process.kill()
                process.wait(5)
        self.context.destroy(linger=0)
        self.mesh.clean_up(keep)

    def wait(self, condition, seconds, what, pause=0.01):
        deadline = time.monotonic() + seconds
        while True:
            seen = condition()
            if seen:
                return seen
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {seconds} s; the log ends:\n{self.log()[-2000:]}")
            time.sleep(pause)
