"""Line 5: the journal's disk fills up under load, and is freed."""

import os
import resource
import subprocess
import time

from broken_mesh import wait
from judgement import judge
from lag import LagWatch
from load import Load

TITLE = "the journal's disk filled and freed"
SAID_WITHIN = 5.0


def play(line, mesh, dose):
    disk = Disk(mesh, dose.of(64, 768))
    try:
        fill_and_free(line, mesh, dose, disk)
    finally:
        mesh.meshctl("stop", timeout=40)
        disk.remove()


def fill_and_free(line, mesh, dose, disk):
    mesh.begin()
    count = dose.of(5000, 200_000)
    load = Load(mesh, dose.terminals, (dose.of(600, 1500), count // 2), (dose.of(600, 1500), count // 2), dose.seed,
                dose.processes)
    dose.keep(load)
    load.connect().go()
    watch = LagWatch(mesh)
    said, back = [], []
    for _ in range(dose.of(1, 5)):
        time.sleep(dose.of(1, 5))
        began = time.monotonic()
        disk.fill()
        wait(lambda: mesh.health() == (503, "fail"), 30, "/health says fail", pause=0.05)
        said.append(time.monotonic() - began)
        time.sleep(dose.of(1, 10))
        line.check("while the disk is full /health goes on to fail", mesh.health()[1] == "fail", mesh.health())
        began = time.monotonic()
        disk.free()
        wait(lambda: mesh.health()[1] in ("pass", "warn"), 60, "it is well again by itself", pause=0.05)
        back.append(time.monotonic() - began)
    # Health shows the answering of those who wait; then they get on with the rest.
    load.finish()
    longest = watch.end()
    evidence = judge(line, mesh, load, kills=0, unknown=0, catch_up_s=longest, fills=len(said), disk=disk.kind,
                     fail_said_s=max(said), well_again_s=max(back))
    line.check(f"/health says fail within {SAID_WITHIN:.0f} s", max(said) <= SAID_WITHIN, said)
    line.none("lost on ea-confirmations", evidence.lost_of(own=False))
    line.equal("everything sent is in the journal", len(evidence.journaled), load.sent())


class Disk:
    """A small file system of the journal's own, where this machine lets us mount one; else a limit on file sizes."""

    def __init__(self, mesh, megabytes):
        self.mesh, self.ballast = mesh, None
        self.folder = mesh.journal
        os.makedirs(self.folder, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", self.folder],
                              capture_output=True, check=False)
        self.kind = f"tmpfs of {megabytes} MB" if done.returncode == 0 else "limit on file sizes"
        self.is_mounted = done.returncode == 0

    def fill(self):
        if not self.is_mounted:
            return self._limit(0)
        self.ballast = os.path.join(self.folder, "ballast")
        with open(self.ballast, "wb", buffering=0) as file:
            block = bytes(1 << 16)
            try:
                while file.write(block):
                    pass
            except OSError:
                return None

    def free(self):
        if not self.is_mounted:
            return self._limit(None)
        return os.unlink(self.ballast)

    def _limit(self, size):
        pid = self.mesh.wait_pid("confirmation-logger")
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def remove(self):
        if self.is_mounted:
            subprocess.run(["umount", self.folder], capture_output=True, check=False)
