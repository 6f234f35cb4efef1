"""Line 9: written dialogues between terminals, traders and the mesh, run against the built binaries.

Each file in `dialogues/` is one: a title, why it matters, and steps of one line each:

    terminal [version=2.06H …]            a terminal dials in; its quotes run, it says only what is written here
    ea-confirmations> {…}                 the terminal sends; `@name key=value` is one of dialogue_messages' texts,
                                          ` | cut 80`, ` | append \\0`, ` | pad 100000`, ` | cp1252` change its bytes;
                                          `@inferred_…` is signed as position-tracker's, except ` | unsigned`
    ea-commands< {…}                      the next thing the terminal receives has these fields
    orders> {…}   orders< {…}             a request, and what its reply must have; `repeat orders>` asks until it has
    nothing ea-commands 300               for so many milliseconds the terminal receives nothing
    http /fires/x state=filled late=1     a page has these fields in the end; also != ~ > < >= <=, and a.b.0 for places
    redis fire:x state=filled             the same of a hash; `size=2`, `absent`
    events 1 {…}                          so many TRADE_EVENTs with these fields are published, and no more
    let ticket = orders.items.0.ticket    kept for `$ticket`; also $user $node $account $server $time-60 $ms+1500 $n
    ticks off, quote EURUSD.r 1.1 1.2, reconnect, restart-ea, gone, receipts-by REQ, judged, user of `B step…`
    kill position-tracker [-15], freeze redis, thaw redis, flush, settings minimum_outcomes=4, within 20 <step>

What is expected is worked out by hand from the contract, never copied from what the mesh says.

    run_dialogues.sh [NAME …]             MESH_PRODUCTS names the executables; KEEP_STATE=1 keeps a failed mesh's files
"""

import os
import re
import signal
import sys
import threading
import time

from checks import Report
from dialogue_player import Player
from dialogue_text import Dialogue
from private_mesh import ROOT, PrivateMesh

TITLE = "written dialogues"
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dialogues")
AT_ONCE = 5
# The supervisor pauses a service that ended three times in a row within 10 s of its start.
CALM = 10.5


class Killer:
    """Ends processes of this mesh by their ids, not faster than the supervisor puts up with."""

    def __init__(self, mesh):
        self.mesh = mesh
        self.tiers = os.path.join(mesh.directory, "tiers.yaml")
        self.kills = 0
        self.short = {}
        self.started = {}
        self.frozen = set()

    def freeze(self, name):
        os.kill(self.pid(name), signal.SIGSTOP)
        self.frozen.add(name)

    def thaw(self, name):
        os.kill(self.pid(name), signal.SIGCONT)
        self.frozen.discard(name)

    def thaw_all(self):
        for name in list(self.frozen):
            self.thaw(name)

    def pid(self, name):
        # A Redis that stands still can't be asked; the supervisor knows it.
        path = "sv/redis/supervise/pid" if name == "redis" else f"{name}.ready"
        try:
            with open(f"{self.mesh.directory}/var/run/{path}", encoding="utf-8") as file:
                pid = int(file.read().split()[0])
            os.kill(pid, 0)
            return pid
        except (OSError, ValueError, IndexError):
            return None

    def kill(self, world, name, number):
        up = time.monotonic() - self.started.get(name, 0)
        if self.short.get(name, 0) >= 2 and up < CALM:
            world.live(CALM - up)
            up = CALM
        self.short[name] = self.short.get(name, 0) + 1 if up < CALM else 0
        pid = self.pid(name)
        if pid is None:
            raise LookupError(f"{name} does not run")
        self.frozen.discard(name)
        self.kills += 1
        os.kill(pid, number)
        _, elapsed = world.look(lambda: self.pid(name), lambda now: now not in (None, pid), 20)
        if elapsed is None:
            raise TimeoutError(f"{name} does not come back")
        self.started[name] = time.monotonic()

    def settings(self, values):
        with open(self.tiers, encoding="utf-8") as file:
            text = file.read()
        for name, value in values.items():
            text, count = re.subn(rf"(?m)^( *{name}: ).*$", rf"\g<1>{value}", text)
            if not count:
                raise KeyError(f"tiers.yaml has no {name}")
        with open(self.tiers, "w", encoding="utf-8") as file:
            file.write(text)


def load(names=()):
    found = []
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".txt") and (not names or any(part in name for part in names)):
            with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
                found.append(Dialogue(name.removesuffix(".txt"), file.read()))
    return found


def play_all(mesh, report, dialogues):
    """Plays those that touch nobody else at once, then the others one by one; returns (failed names, kills)."""
    killer, failed, lock = Killer(mesh), [], threading.Lock()
    places = {dialogue.name: place for place, dialogue in enumerate(dialogues, 1)}

    def play(dialogue):
        began = time.monotonic()
        objection = Player(mesh, report, dialogue, places[dialogue.name], killer).play()
        if objection:
            failed.append(dialogue.name)
        report.check(f"{dialogue.name}: {dialogue.title} ({time.monotonic() - began:.1f} s)", objection is None,
                     objection)

    waiting = [dialogue for dialogue in dialogues if not dialogue.is_alone]

    def worker():
        while True:
            with lock:
                if not waiting:
                    return
                dialogue = waiting.pop(0)
            play(dialogue)
    threads = [threading.Thread(target=worker, daemon=True) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Those that change the mesh's settings come last.
    for dialogue in sorted((d for d in dialogues if d.is_alone), key=lambda d: d.changes_settings):
        play(dialogue)
    return failed, killer.kills


def prepare(mesh):
    """Tiers of its own, without the automatic brake: dialogues reject so much that it would stop them all.

    To be done before the mesh starts; a dialogue may switch the brake on again.
    """
    with open(f"{ROOT}/deploy/config/tiers.yaml", encoding="utf-8") as file:
        tiers = file.read()
    with open(Killer(mesh).tiers, "w", encoding="utf-8") as file:
        file.write(re.sub(r"(?m)^( *minimum_outcomes: ).*$", r"\g<1>0", tiers))
    with open(mesh.config, encoding="utf-8") as file:
        text = file.read()
    with open(mesh.config, "w", encoding="utf-8") as file:
        file.write(re.sub(r"(?m)^tiers: .*$", "tiers: tiers.yaml", text))


def main():
    products = os.environ.get("MESH_PRODUCTS") or os.path.join(ROOT, ".build", "release")
    report = Report()
    if not os.access(os.path.join(products, "meshctl"), os.X_OK):
        report.skip(TITLE, f"there is no {products}/meshctl: build first, or set MESH_PRODUCTS")
        return report.finish()
    dialogues = load(sys.argv[1:])
    mesh = PrivateMesh(products)
    print(f"mesh in {mesh.directory}, products of {products}, {len(dialogues)} dialogues", flush=True)

    def interrupted(number, _):
        for other in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        prepare(mesh)
        code, output = mesh.meshctl("start", timeout=90)
        if report.check("the mesh starts", code == 0, output):
            began = time.monotonic()
            failed, kills = play_all(mesh, report, dialogues)
            code, output = mesh.meshctl("journal", "verify")
            report.check("the journal is whole afterwards", code == 0, output)
            print(f"chaos line 9: {'FAILED' if failed else 'pass'}: dialogues {len(dialogues)}, passed "
                  f"{len(dialogues) - len(failed)}, failed {len(failed)}, kills {kills}, took "
                  f"{time.monotonic() - began:.0f} s ({TITLE})", flush=True)
    except Exception as error:  # the summary is printed whatever happened
        report.check("the dialogues run to their end", False, f"{type(error).__name__}: {error}")
    finally:
        mesh.clean_up(keep=report.failed > 0 and bool(os.environ.get("KEEP_STATE")))
    return report.finish()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
