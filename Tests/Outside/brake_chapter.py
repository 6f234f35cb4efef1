"""How soon a brake is in force: fires are asked for every 10 ms on one connection while it is set on another."""

import json
import threading
import time
from decimal import Decimal

import zmq

from expert_advisor import ExpertAdvisor

CREW, EVERY, LIMIT = 48, 0.01, 100


class Crew(threading.Thread):
    """Terminals that read each command the moment it comes, note when, and fill it: so that one outstanding fire a
    terminal hides nothing. Their sockets belong to this thread."""

    def __init__(self, mesh):
        super().__init__(daemon=True)
        self.mesh, self.over, self.ready = mesh, threading.Event(), threading.Event()
        self.users = [f"outside_brake_{number:02d}_x" for number in range(CREW)]
        self.came = []

    def run(self):
        context = zmq.Context()
        poller = zmq.Poller()
        crew = {}
        for number, user in enumerate(self.users):
            terminal = ExpertAdvisor(context, self.mesh, user, 745_000 + number, server="Outside-Brake")
            terminal.start()
            crew[terminal.dealer] = terminal
            poller.register(terminal.dealer, zmq.POLLIN)
        self.ready.set()
        while not self.over.is_set():
            for dealer, _ in poller.poll(5):
                moment, terminal = time.time(), crew[dealer]
                before = len(terminal.commands)
                terminal.read_command()
                self.came += [(moment, command) for command in terminal.commands[before:]]
            for terminal in crew.values():
                terminal.pump()
        for terminal in crew.values():
            terminal.telemetry.linger = 500
            terminal.telemetry.send_string(terminal.disconnect_text())
            terminal.close()
        context.term()

    def fires(self):
        return [(moment, command["fire_id"]) for moment, command in list(self.came) if command.get("type") == "fire"]


class Asker(threading.Thread):
    """One connection that asks for the next fire every 10 ms, whatever the answers are."""

    def __init__(self, mesh, name, users):
        super().__init__(daemon=True)
        self.mesh, self.name, self.users = mesh, name, users
        self.over, self.asked, self.answers = threading.Event(), {}, {}

    def run(self):
        context = zmq.Context()
        desk = context.socket(zmq.DEALER)
        desk.linger = 0
        desk.connect(self.mesh.endpoint("orders"))
        number, following = 0, time.monotonic()
        while not self.over.is_set() or (len(self.answers) < number and time.monotonic() < following + 2):
            if not self.over.is_set() and time.monotonic() >= following:
                following = max(following + EVERY, time.monotonic() - EVERY)
                fire_id = f"{self.name}-{number}"
                self.asked[fire_id] = time.time()
                desk.send(json.dumps({
                    "type": "fire", "fire_id": fire_id, "user_uuid": self.users[number % len(self.users)],
                    "symbol": "EURUSD", "direction": "BUY", "sl": 1.08, "lot": 0.01}).encode())
                number += 1
            if desk.poll(max(1, min(5, int((following - time.monotonic()) * 1000)))):
                answer = json.loads(desk.recv_multipart()[-1])
                self.answers[answer.get("fire_id")] = answer.get("reason") or answer.get("state") or str(answer)
        desk.close()
        context.term()


def at_once(world):
    crew = Crew(world.mesh)
    crew.start()
    world.until("the crew of the brake is there", crew.ready.is_set)
    for user in crew.users:
        world.orders(type="set_user", user_uuid=user, tier="COMMANDER")
    for user in crew.users:
        world.wait_for_market(user)
    once(world, crew, "by request", "all", lambda brake: world.orders(**brake))
    once(world, crew, "over HTTP", "broker:Outside-Brake", lambda brake: by_http(world, brake))
    crew.over.set()
    world.until("the crew has left", lambda: not crew.is_alive())


def by_http(world, brake):
    with open(f"{world.mesh.directory}/var/token", encoding="utf-8") as file:
        token = file.read().strip()
    body = {name: value for name, value in brake.items() if name != "type"}
    status, _, text = world.mesh.http("/brake", data=json.dumps(body).encode(), headers={
        "Content-Type": "application/json", "Authorization": f"Bearer {token}"})
    return {"ok": status == 200, "text": text}


def once(world, crew, how, scope, brake):
    report, asker = world.report, Asker(world.mesh, f"brake-{how.split()[-1]}", crew.users)
    asker.start()
    world.live(0.8)
    set_at = time.time()
    answer = brake({"type": "brake", "state": "HALTED", "scope": scope, "reason": "how soon it holds"})
    told_at = time.time()
    world.live(0.8)
    asker.over.set()
    world.until(f"every fire that was asked for is answered ({how})", lambda: not asker.is_alive())
    report.check(f"the brake is set {how}", answer.get("ok") is True, answer)
    rows = {fire_id: world.mesh.hash(f"fire:{fire_id}") for fire_id, said in asker.answers.items() if said == "sent"}
    # By the terminals' own clocks, and by the mesh's: what was handed over and never came counts too.
    came = {fire_id: moment for moment, fire_id in crew.fires() if fire_id in asker.asked}
    left = [int(row["sent_at"]) / 1000 for row in rows.values() if row.get("sent_at")]
    last_came = max((moment - set_at for moment in came.values()), default=-1.0) * 1000
    last_left = max((moment - set_at for moment in left), default=-1.0) * 1000
    before = sum(moment < set_at for moment in asker.asked.values())
    late = [fire_id for fire_id, moment in asker.asked.items() if moment > set_at + LIMIT / 1000]
    said = {}
    for fire_id in late:
        said[asker.answers.get(fire_id)] = said.get(asker.answers.get(fire_id), 0) + 1
    report.check(f"fires left until then ({how})", len(came) >= 20 and before >= 40, (len(came), before))
    # A queue at every terminal would hide what the brake does.
    recent = sum(set_at - 0.25 <= moment < set_at for moment in came.values())
    report.check(f"and did in the quarter of a second before it ({how})", recent >= 5, recent)
    report.check(f"no command reached a terminal later than {LIMIT} ms after it was sent ({how})", last_came <= LIMIT,
                 f"{last_came:.1f} ms")
    report.check(f"nor left the mesh later ({how})", last_left <= LIMIT and len(left) == len(rows),
                 f"{last_left:.1f} ms")
    report.check(f"every fire asked for after that is halted ({how})", set(said) == {"halted"} and len(late) >= 30,
                 said)
    print(f"        {how}: the last command left {last_left:.1f} ms and came {last_came:.1f} ms after the brake was sent "
          f"(below 0: before it); its answer took {(told_at - set_at) * 1000:.1f} ms; of {len(asker.asked)} fires "
          f"{len(came)} came, {recent} of them in the 250 ms before; {len(late)} were asked for later and denied",
          flush=True)
    world.orders(type="brake", state="ACTIVE", scope=scope, reason="measured")
    tidy(world, crew, rows)


def tidy(world, crew, rows):
    """Whatever was filled is closed again, so that nobody's slots are used up."""
    world.until("what was fired is filled", lambda: {world.mesh.hash(f"fire:{name}").get("state") for name in rows},
                lambda states: states == {"filled"}, 15)
    for user in crew.users:
        world.orders(type="close_all", user_uuid=user)
    world.until("and closed", lambda: sum(
        Decimal(str(world.orders(type="slots", user_uuid=user).get("slots_used", 1))) for user in crew.users),
        lambda used: used == 0, 20)
