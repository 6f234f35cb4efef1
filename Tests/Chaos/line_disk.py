"""Line 5: the disk of both journals, the confirmations' and the ledger's, fills up under load, and is freed."""

import os
import resource
import subprocess
import time

from broken_mesh import wait
from firing import Desk
from judgement import judge
from lag import LagWatch
from load import Load

TITLE = "the journal's disk filled and freed"
SAID_WITHIN = 5.0


def play(line, mesh, dose):
    disks = [Disk(mesh, mesh.journal, "confirmation-logger", dose.of(64, 768)),
             Disk(mesh, mesh.ledger, "position-tracker", dose.of(64, 768))]
    try:
        fill_and_free(line, mesh, dose, disks)
    finally:
        mesh.meshctl("stop", timeout=40)
        for disk in disks:
            disk.remove()


def fill_and_free(line, mesh, dose, disks):
    mesh.begin()
    count = dose.of(5000, 200_000)
    # Slow enough for the last fill to meet it: five cycles take up to two minutes.
    rate = dose.of(600, 700)
    load = Load(mesh, dose.terminals, (rate, count // 2), (rate, count // 2), dose.seed, dose.processes)
    dose.keep(load)
    load.connect().go()
    watch = LagWatch(mesh)
    desk = Desk(mesh)
    said, back = [], []
    for _ in range(dose.of(1, 5)):
        time.sleep(dose.of(1, 5))
        line.check("the load runs when the disk fills up", not load.is_over)
        began = time.monotonic()
        for disk in disks:
            disk.fill()
        wait(lambda: mesh.health() == (503, "fail"), 30, "/health says fail", pause=0.05)
        said.append(time.monotonic() - began)
        # The ledger's disk is noticed by its next write.
        denied = wait(lambda: desk.fire(f"full-{len(said)}", "nobody").get("reason") == "state_unavailable", 20,
                      "a fire is denied state_unavailable", pause=0.1)
        line.check("while the ledger's disk is full fires are denied state_unavailable", denied)
        time.sleep(dose.of(1, 10))
        line.check("while the disk is full /health goes on to fail", mesh.health()[1] == "fail", mesh.health())
        began = time.monotonic()
        for disk in disks:
            disk.free()
        wait(lambda: mesh.health()[1] in ("pass", "warn"), 60, "it is well again by itself", pause=0.05)
        wait(lambda: desk.fire(f"free-{len(back)}", "nobody").get("reason") == "user_unknown", 20,
             "fires are judged again", pause=0.1)
        back.append(time.monotonic() - began)
    # Health shows the answering of those who wait; then they get on with the rest.
    load.finish()
    desk.close()
    longest = watch.end()
    evidence = judge(line, mesh, load, catch_up_s=longest, fills=len(said), disk=disks[0].kind,
                     fail_said_s=max(said), well_again_s=max(back))
    line.check(f"/health says fail within {SAID_WITHIN:.0f} s", max(said) <= SAID_WITHIN, said)
    line.none("lost on ea-confirmations", evidence.lost_of(own=False))
    line.equal("everything sent is in the journal", len(evidence.journaled), load.sent())
    code, output = mesh.meshctl("journal", "verify", "--journal", "ledger", timeout=600)
    line.check("the ledger's journal is whole", code == 0, f"exit {code}: {output[-300:]}")


class Disk:
    """A small file system of a journal's own, where this machine lets us mount one; else a limit on file sizes."""

    def __init__(self, mesh, folder, owner, megabytes):
        self.mesh, self.folder, self.owner, self.ballast = mesh, folder, owner, None
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
        pid = self.mesh.wait_pid(self.owner)
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def remove(self):
        if self.is_mounted:
            subprocess.run(["umount", self.folder], capture_output=True, check=False)
