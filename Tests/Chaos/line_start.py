"""Line 4: starts against a Redis that may lose what it acknowledged, or is of a version nobody tried."""

import os
import re
import signal
import socket
import subprocess
import threading
import time

from broken_mesh import exists, memory, wait
from evidence import unknown_fires
from journal_reader import JournalReader
from private_mesh import free_port
from state import State

TITLE = "starts against a Redis that is not to be trusted"
GOOD = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
# What is wrong, the settings it has instead, and the word the refusal must name.
CASES = (("without AOF", {"appendonly": "no"}, "appendonly"),
         ("AOF with everysec", {"appendfsync": "everysec"}, "appendfsync"),
         ("with eviction", {"maxmemory-policy": "allkeys-lru"}, "maxmemory-policy"),
         ("version 5", {}, "5.0"))
WITHIN = 10.0


def play(line, mesh, dose):
    refused, allowed, found = 0, 0, Found()
    for name, settings, word in CASES:
        with Server(mesh, settings, pretends_old=name == "version 5") as server:
            refused += refusals(line, mesh, server, name, word)
            allowed += permissions(line, mesh, server, name, found)
            found.look(server)
    journaled = len(list(JournalReader(mesh.journal).frames())) if os.path.isdir(mesh.journal) else 0
    # Nobody sends here: what is found all the same was made up.
    line.equal("nothing is journaled, booked or fired", (journaled, found.applied, found.unknown), (0, 0, 0))
    line.note(sent="none", journaled=journaled, applied=found.applied, lost=0,
              double=max(0, found.applied - journaled), unknown=found.unknown, kills=len(mesh.kills),
              catch_up_s=found.slowest, memory_mb=f"{found.largest} of one service", refused=refused,
              allowed_when_asked=allowed, of=len(CASES) * (len(mesh.SERVICES) + 1))


class Found:
    """What was left in those Redis, and what the services took for it."""

    def __init__(self):
        self.applied = self.unknown = self.largest = 0
        self.slowest = 0.0

    def look(self, server):
        state = State(server.port)
        self.applied += len(state.keys("trade:*"))
        self.unknown += len(unknown_fires(state))
        state.close()


def launch(mesh, server, name, *more):
    """One service against that Redis; its output goes to a file."""
    log = open(os.path.join(mesh.directory, f"{name}.out"), "w+b")
    process = subprocess.Popen(
        [os.path.join(mesh.products, name), "--config", mesh.config, "--redis", server.url, *more],
        env=mesh.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    return process, log


def text(log):
    log.seek(0)
    return log.read().decode("utf-8", "replace")


def refusals(line, mesh, server, case, word):
    """How many of the seven and meshctl refuse it for the right reason."""
    started = {name: launch(mesh, server, name) for name in mesh.SERVICES}
    count, deadline = 0, time.monotonic() + WITHIN
    for name, (process, log) in started.items():
        try:
            code = process.wait(max(0.01, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            code = None
            process.kill()
            process.wait(5)
        good = line.check(f"{case}: {name} refuses and says '{word}'", code not in (0, None) and word in text(log),
                          f"exit {code}: {text(log)[-400:]}")
        count += good
        log.close()
    mesh.environment["REDIS_URL"] = server.url
    code, output = mesh.meshctl("start", timeout=60)
    del mesh.environment["REDIS_URL"]
    good = line.check(f"{case}: meshctl start refuses, says '{word}' and leaves nothing running",
                      code != 0 and word in output and not ours(mesh, server), f"exit {code}: {output[-400:]}")
    if not good:
        mesh.meshctl("stop", timeout=40)
    return count + good


def permissions(line, mesh, server, case, found):
    """How many start all the same with --allow-unsafe-redis, and end well."""
    began = time.monotonic()
    started = {name: launch(mesh, server, name, "--allow-unsafe-redis") for name in mesh.SERVICES}
    count = 0
    for name, (process, log) in started.items():
        try:
            wait(lambda n=name, p=process: ready(mesh, n) == p.pid or p.poll() is not None, WITHIN, name)
        except TimeoutError:
            pass
        found.slowest = max(found.slowest, time.monotonic() - began)
        found.largest = max(found.largest, memory(process.pid))
        is_ready = process.poll() is None and ready(mesh, name) == process.pid
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait(5)
        count += line.check(f"{case}: {name} starts with --allow-unsafe-redis", is_ready and code == 0,
                            f"ready {is_ready}, exit {code}: {text(log)[-400:]}")
        log.close()
    return count


def ready(mesh, name):
    try:
        with open(mesh.run(f"{name}.ready"), encoding="utf-8") as file:
            return int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def ours(mesh, server):
    return {pid: words for pid, words in mesh.processes().items() if pid != server.process.pid and exists(pid)}


class Server:
    """A redis-server with these settings; one that pretends to be old is reached through a relay that says so."""

    def __init__(self, mesh, settings, pretends_old):
        self.mesh, self.settings, self.pretends_old = mesh, {**GOOD, **settings}, pretends_old
        self.port = free_port(set(mesh.ports.values()))
        self.url = f"redis://127.0.0.1:{self.port}"
        self.folder = os.path.join(mesh.directory, f"redis-{self.port}")
        self.process = self.relay = None

    def __enter__(self):
        os.makedirs(self.folder)
        options = [word for name, value in self.settings.items() for word in (f"--{name}", value)]
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--save", "",
                 *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        state = State(self.port)
        wait(state.answers, 10, "the Redis answers")
        state.close()
        if self.pretends_old:
            self.relay = Relay(self.port, free_port(set(self.mesh.ports.values())))
            self.url = f"redis://127.0.0.1:{self.relay.port}"
        return self

    def __exit__(self, *_):
        if self.relay:
            self.relay.close()
        self.process.kill()
        self.process.wait(5)


class Relay:
    """Passes everything on, but for the version, which it makes an old one of the same length."""

    def __init__(self, behind, port):
        self.behind, self.port = behind, port
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.behind))
            threading.Thread(target=self._pass, args=(near, far, bytes), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, older), daemon=True).start()

    @staticmethod
    def _pass(source, target, change):
        try:
            while data := source.recv(1 << 16):
                target.sendall(change(data))
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


def older(data):
    return re.sub(rb"(redis_version:|\$\d+\r\nversion\r\n\$\d+\r\n)\d", lambda match: match[1] + b"5", data)
