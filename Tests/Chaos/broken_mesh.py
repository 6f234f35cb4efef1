"""A private mesh that can be broken: its processes' ids, kills and freezes, its memory, how far behind it is."""

import os
import re
import signal
import threading
import time

from journal_reader import JournalTail
from private_mesh import PrivateMesh
from state import State

REDIS = "redis"


class BrokenMesh(PrivateMesh):
    def __init__(self, products):
        super().__init__(products)
        self.state = State(self.ports["state"])
        self.journal = os.path.join(self.directory, "var/journal")
        self.ledger = os.path.join(self.directory, "var/ledger")
        self.largest = {}
        # The same by the kernel's own count, of second processes too, and of what several share a share only.
        self.peaks = {}
        self.kills = []
        self._watching = threading.Event()

    def configure(self, setting):
        """Adds a line to the mesh's configuration, before it begins."""
        with open(self.config, "a", encoding="utf-8") as file:
            file.write(setting + "\n")

    def begin(self):
        code, output = self.meshctl("start", timeout=90)
        if code != 0:
            raise RuntimeError(f"the mesh does not start: {output}")
        self._watching.set()
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def end(self, keep):
        self._watching.clear()
        self.state.close()
        self.clean_up(keep)

    # -- processes

    def run(self, name):
        return os.path.join(self.directory, "var/run", name)

    def pid(self, name):
        """The id of a service that is ready, or of Redis; None while it isn't there."""
        try:
            with open(self.run(f"sv/{name}/supervise/pid"), encoding="utf-8") as file:
                pid = int(file.read())
            if name != REDIS:
                with open(self.run(f"{name}.ready"), encoding="utf-8") as file:
                    pid = pid if int(file.read().split()[0]) == pid else None
        except (OSError, ValueError, IndexError):
            return None
        return pid if pid and exists(pid) else None

    def wait_pid(self, name, other_than=None, within=60.0):
        return wait(lambda: self.pid(name) not in (None, other_than) and self.pid(name), within, f"{name} is ready")

    def kill(self, name, number=signal.SIGKILL):
        """Ends a process by its id; returns when. It is noted who and when."""
        pid = self.wait_pid(name)
        moment = time.monotonic()
        os.kill(pid, number)
        self.kills.append((moment, name, pid))
        return moment

    def holders(self):
        """The ids of the processes that hold connections of the logger's: of it as it is, and of it as it was."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if b"--hold-connections" in words and self.directory.encode() in words[-2] and exists(int(pid)):
                yield int(pid)

    def holder(self):
        """The id of one of them; None while there is none."""
        return next(self.holders(), None)

    def kill_holder(self):
        os.kill(wait(self.holder, 10, "a process holds the logger's connections"), signal.SIGKILL)

    def pauses(self, name):
        """For how many seconds the supervisor paused after each end that it noted."""
        try:
            with open(self.run(f"{name}.exits"), encoding="utf-8") as file:
                return [int(row[7]) for row in map(str.split, file) if len(row) == 8]
        except OSError:
            return []

    def exits(self, name):
        """What the supervisor noted of ends: {pid: (exit code, signal)}."""
        try:
            with open(self.run(f"{name}.exits"), encoding="utf-8") as file:
                rows = [line.split() for line in file]
        except OSError:
            return {}
        return {int(row[3]): (int(row[1]), int(row[2])) for row in rows if len(row) == 8}

    # -- memory

    def _watch(self):
        while self._watching.is_set():
            self.look_at_memory()
            time.sleep(0.5)

    def look_at_memory(self):
        pids = {name: pid for name in [*self.SERVICES, REDIS] if (pid := self.pid(name))}
        for name in [*self.SERVICES, REDIS]:
            size = memory(pids[name]) if name in pids else 0
            self.largest[name] = max(size, self.largest.get(name, 0))
        peaks = {name: peak(pid) for name, pid in pids.items()}
        peaks["connection-holder"] = sum(map(peak, self.holders()))
        # What Redis forks to write its file anew: of it only what it does not share with Redis.
        peaks["redis-fork"] = sum(rolled_up(pid, "Private_Clean", "Private_Dirty") for pid in children(pids.get(REDIS)))
        for name, size in peaks.items():
            self.peaks[name] = max(size, self.peaks.get(name, 0))

    def memory_text(self):
        services = {name: size for name, size in self.largest.items() if name != REDIS}
        name = max(services, key=services.get, default="")
        return f"{services.get(name, 0)} {name} / {self.largest.get(REDIS, 0)} redis"

    # -- how far behind

    def applied(self):
        """The newest frame's sequence that is booked, and whether the tracker has taken everything handed to it."""
        marks = self.state.hash("journal:state")
        groups = self.state.ask("XINFO", "GROUPS", "events:trades")
        stream = self.state.ask("XINFO", "STREAM", "events:trades")
        if not isinstance(groups, list) or not isinstance(stream, list):
            return int(marks.get("applied_seq", 0)), True
        last = dict(zip(stream[::2], stream[1::2])).get("last-generated-id")
        done = all(group.get("pending") == 0 and group.get("last-delivered-id") == last
                   for group in (dict(zip(flat[::2], flat[1::2])) for flat in groups))
        return int(marks.get("applied_seq", 0)), done and bool(groups)

    def catch_up(self, tail, within=120.0):
        """Seconds until everything that is in the journal now is booked; the tracker may still be at work."""
        began, goal = time.monotonic(), tail.look()

        def reached():
            try:
                return self.applied()[0] >= goal
            except (OSError, EOFError):
                return False
        wait(reached, within, f"everything up to {goal} is booked")
        return time.monotonic() - began

    def settle(self, within=1200.0):
        """Seconds until journal, books and tracker agree, with nobody sending."""
        began, tail = time.monotonic(), JournalTail(self.journal)

        def reached():
            try:
                seq, done = self.applied()
            except (OSError, EOFError):
                return False
            return done and seq >= tail.look()
        wait(reached, within, f"all is booked and taken over ({tail.last_frame} frames)", pause=0.1)
        return time.monotonic() - began

    def archived(self):
        """Up to which record of the journal rows were given their end."""
        marks = self.state.hash("journal:state")
        return max((int(value) for name, value in marks.items() if name.startswith("archived_seq.")), default=0)

    def health(self):
        """(HTTP status, the page's own status)"""
        status, page = self.page("/health")
        return status, page.get("status")


def exists(pid):
    """Whether the process runs; one that has ended and waits for its parent does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def memory(pid):
    """MB resident."""
    return megabytes(f"/proc/{pid}/status", "VmRSS")


def peak(pid):
    """The most MB that were ever resident: no peak lies between two looks. Of the files' pages, which all that run the
    same program and libraries have in common, its share."""
    shared = megabytes(f"/proc/{pid}/status", "RssFile") - rolled_up(pid, "Pss_File")
    return max(0, megabytes(f"/proc/{pid}/status", "VmHWM") - max(0, shared))


def rolled_up(pid, *fields):
    return megabytes(f"/proc/{pid}/smaps_rollup", *fields)


def megabytes(path, *fields):
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return 0
    return sum(int(size) for name in fields for size in re.findall(rf"^{name}:\s+(\d+)", text, re.M)) // 1024


def children(pid):
    """The ids of a process's children."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except (OSError, ValueError):
        return []


def wait(condition, within, what, pause=0.02):
    deadline = time.monotonic() + within
    while True:
        seen = condition()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {within:.0f} s")
        time.sleep(pause)
