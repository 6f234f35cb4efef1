"""Line 9: a day of every EA family side by side, and every golden line of ea-wire by the port it belongs to."""

import json
import os
import re
import time

import zmq

from direct_mesh import DirectMesh
from family_people import Dealer, Executor, Hybrid, Own, Pull201, Pull202
from fleet_mesh import wait
from journal_reader import CONFIRMATIONS, JournalReader
from private_mesh import ROOT
from world import World

TITLE = "a day of every EA family, side by side, and the golden lines"
NEEDED = ("families", "days_that_worked", "fires", "joined_by_order", "golden_lines", "golden_taken", "golden_refused")
INTRODUCTIONS = ("HELLO", "handshake", "status")
GOLDEN = os.path.join(ROOT, "Tests/Golden/ea-golden.jsonl")
# What 2.06H is fired at with.
HYBRID = {"lot": 0.4, "hybrid": {"enabled": True, "partial1": {"trigger": 10}, "partial2": {"trigger": 20},
                                 "trail": {"distance": 15}}}
# (family, class, user, account, its command port, what closes its position)
PEOPLE = (
    (Dealer, "day_dealer_x", 6_900_205, None, "command"), (Hybrid, "day_hybrid_x", 6_900_206, None, "target"),
    (Pull202, "day_pull02_x", 6_900_202, "ea-commands-pull", "command"),
    (Pull201, "day_pull01_x", 6_900_201, "ea-commands-older", "flat"),
    (Own, "day_own____x", 6_900_300, None, "command"))


def make_mesh(products):
    return DirectMesh(products, {"ea-commands-pull": ("ea-commands", "PUSH", ', user: "day_pull02_x"'),
                                 "ea-commands-older": ("ea-commands", "PUSH", ', user: "day_pull01_x"')})


class Checks:
    """A line's checks for a world: the day of a family works when all of its checks do."""

    def __init__(self, line):
        self.line, self.failed, self.family = line, set(), ""

    def check(self, title, condition, seen=None):
        if not self.line.check(f"{self.family}: {title}", condition, seen):
            self.failed.add(self.family)
        return bool(condition)

    def equal(self, title, seen, expected):
        return self.check(title, seen == expected, f"{seen!r}, expected {expected!r}")


def play(line, mesh, _):
    mesh.begin()
    checks = Checks(line)
    world = World(mesh, checks, "families", ("market-relay", "trade-events"))
    people, inferred = [], 0
    try:
        for make, user, account, port, how in PEOPLE:
            more = {"port": port} if port else {}
            people.append((make(world.context, mesh, user, account, **more), how))
        world.live(0.3)
        for terminal, _ in people:
            terminal.start()
            world.terminals.append(terminal)
        executor = Executor(world.context, mesh, 6_900_701)
        executor.start()
        for terminal, how in people:
            inferred += day(world, checks, terminal, how)
        executor_day(world, checks, executor)
        families = [type(terminal).FAMILY for terminal, _ in people] + [executor.FAMILY]
        for terminal, _ in people:
            goodbye(world, checks, terminal)
        executor.close()
        commands = sum(len(terminal.commands) for terminal, _ in people)
        sent, taken, refused = golden(line, mesh, world.context)
    finally:
        world.close()
    line.note(scale=f"{len(families)} families; all golden lines", sent=sent + commands, lost=sent - taken,
              memory_mb=mesh.memory_in_all(), families=len(families),
              days_that_worked=len(set(families) - checks.failed), fires=len(people), joined_by_order=inferred,
              golden_lines=sent, golden_taken=taken, golden_refused=refused)


def node(world, terminal):
    return world.mesh.hash(f"node:{terminal.node}")


def day(world, checks, terminal, how):
    """Comes, is known for what it is, is fired at, and its position ends. Whether it was joined by its order."""
    checks.family = type(terminal).FAMILY
    row = world.until("it is known for what it is", lambda: node(world, terminal),
                      lambda seen: seen.get("family") == terminal.FAMILY, 10)
    checks.equal("whether it hears commands is said", row.get("hears_commands"), terminal.HEARS)
    world.until("its ticks are relayed as they came", lambda: sum(
        terminal.node.encode() in frames[0] for frames in world.heard["market-relay"]), lambda count: count > 0)
    world.orders(type="set_user", user_uuid=terminal.user, tier="COMMANDER")
    answers = []

    def fire():
        more = HYBRID if isinstance(terminal, Hybrid) else {}
        answers.append(world.fire(f"day-{terminal.account}-{len(answers)}", terminal.user, symbol="EURUSD", **more))
        return answers[-1]
    answer = world.until("a fire at it is sent", fire, lambda seen: seen.get("state") == "sent", 15)
    name = answer.get("fire_id", "")
    world.until("it got the command once", lambda: [c for c in terminal.commands if c.get("fire_id") == name],
                lambda seen: len(seen) == 1)
    rows = world.until("its trade is booked", lambda: world.events(fire_id=name), bool)
    event = rows[0] if rows else {}
    is_joined = event.get("inferred") in (True, "1")
    checks.equal("whether its confirmation was joined by its order is said", is_joined,
                 terminal.FAMILY in ("2.02", "2.01"))
    world.until("the trade holds a slot", lambda: world.orders(type="slots", user_uuid=terminal.user).get("slots_used"),
                lambda seen: seen == 1)
    if isinstance(terminal, Hybrid):
        hybrid(world, checks, terminal, name)
    end(world, checks, terminal, how)
    world.until("its slot is free again", lambda: world.orders(type="slots", user_uuid=terminal.user).get("slots_used"),
                lambda seen: seen == 0, 10)
    if isinstance(terminal, Own):
        checks.check("everything it told was answered once it was durable",
                     len(terminal.answers) == terminal.seq == 2 and all(a.get("ok") for a in terminal.answers),
                     terminal.answers)
    return int(is_joined)


def hybrid(world, checks, terminal, name):
    """One fire with its plan, three tickets: the second and third are found by its lists, and hold no slot."""
    frame = next((frames[-1] for frames in terminal.frames if name.encode() in frames[-1]), b"")
    checks.check("the command has its plan without a space", frame.endswith(
        b'"lot":0.40,"hybrid":{"enabled":true,"partial1":{"trigger":10,"percent":25},"partial2":{"trigger":20,'
        b'"percent":25},"trail":{"distance":15}}}'), frame)
    row = world.mesh.hash(f"fire:{name}")
    checks.check("its row says the plan and the parts", '"distance":15,"lot":0.20' in row.get("hybrid", ""), row)
    beats = []

    def parts():
        if not beats or time.monotonic() - beats[-1] > 3.2:
            beats.append(time.monotonic())
            terminal.dealer.send_string(terminal.command_heartbeat())
        rows = world.orders(type="positions", user_uuid=terminal.user, state="open").get("items") or []
        return sorted((int(row["ticket"]), str(row["lot"]), row["fire_id"], row["hybrid_part"]) for row in rows)
    tickets = sorted(terminal.positions)
    world.until("its three parts are three positions of the fire", parts, lambda seen: seen == [
        (tickets[0], "0.1", name, "first"), (tickets[1], "0.1", name, "further"),
        (tickets[2], "0.2", name, "further")], 30)
    used = world.orders(type="slots", user_uuid=terminal.user).get("slots_used")
    checks.equal("slots they hold together", used, 1)


def end(world, checks, terminal, how):
    ticket = next(iter(terminal.tickets), 0)
    if how == "command":
        answer = world.orders(type="close", user_uuid=terminal.user, ticket=ticket)
        checks.check("a close is sent", answer.get("commands") == 1, answer)
    elif how == "target":
        # Its heartbeats list positions; its targets are told by itself.
        while terminal.positions:
            terminal.take_profit()
    else:
        # 2.01 knows no closing and tells no leverage: a flat account is no proof, so the operator is asked.
        beats = []

        def beat():
            if not beats or time.monotonic() - beats[-1] > 3:
                beats.append(time.monotonic())
                terminal.flat()
            items = world.orders(type="questions", state="open").get("items") or []
            return [item for item in items if item.get("user_uuid") == terminal.user]
        asked = world.until("a flat account is shown, and the operator is asked", beat, bool, 60)
        answer = world.orders(type="answer", question_id=asked[0].get("question_id") if asked else "", answer="closed",
                              reason="looked at the terminal")
        checks.check("his answer is taken", answer.get("ok"), answer)


def executor_day(world, checks, executor):
    checks.family = executor.FAMILY
    row = world.until("seven charts are one node", lambda: node(world, executor),
                      lambda seen: seen.get("family") == executor.FAMILY)
    checks.equal("whether it hears commands is said", row.get("hears_commands"), executor.HEARS)
    checks.check("and why", "7.01" in row.get("hears_commands_reason", ""), row)
    world.until("its ticks are relayed as they came",
                lambda: sum(b'"type":"tick"' in frames[0] for frames in world.heard["market-relay"]),
                lambda count: count >= executor.sent)
    executor.result(20_658_628)
    world.until("its result, which names nobody, is booked for its account", lambda: world.events(ticket=20_658_628),
                lambda seen: seen and str(seen[0].get("account")) == str(executor.account))
    answer = world.fire("day-701", f"EA7_{executor.account}")
    checks.check("it is fired at by nobody", answer.get("state") == "denied" or answer.get("ok") is False, answer)


def goodbye(world, checks, terminal):
    checks.family = type(terminal).FAMILY
    terminal.telemetry.send_string(terminal.disconnect_text())
    terminal.running = False
    world.terminals.remove(terminal)
    world.until("its goodbye is understood", lambda: node(world, terminal),
                lambda row: row.get("status") == "disconnected")
    terminal.close()


def golden(line, mesh, context):
    """(lines sent, taken by their service, refused by it)"""
    with open(GOLDEN, encoding="utf-8") as file:
        # Who speaks says first who he is, as every EA does.
        rows = sorted((json.loads(text) for text in file), key=lambda row: row["name"] not in INTRODUCTIONS)
    ports = {"ea-commands": (zmq.DEALER, "position-tracker", ("hellos", "heartbeats")),
             "ea-telemetry": (zmq.PUSH, "handshake-processor", ("frames",)),
             "ea-confirmations": (zmq.PUSH, "confirmation-logger", ())}
    names = port_names()
    for row in rows:
        row["port"] = names[row["port"]]

    def taken():
        counts = {port: sum(mesh.told(service).get(counter, 0) for counter in counters)
                  for port, (_, service, counters) in ports.items()}
        # What the mesh itself tells of on the other port is in the journal as well.
        counts["ea-confirmations"] = sum(
            source == CONFIRMATIONS for _, _, source, _ in JournalReader(mesh.journal).frames())
        refused = {f"{service} {reason}": number for _, service, _ in ports.values()
                   for reason, number in mesh.told(service, "rejected").items()}
        return counts, refused
    before, refused_before = stable(taken)
    sockets = {}
    for row in rows:
        key = (row["port"], row["version"])
        if key not in sockets:
            kind = ports[row["port"]][0]
            sockets[key] = context.socket(kind)
            sockets[key].linger = 0
            if kind == zmq.DEALER:
                sockets[key].setsockopt(zmq.IDENTITY, b"COMMANDER_DEV_00")
            sockets[key].connect(mesh.endpoint(row["port"]))
        sockets[key].send(row["text"].encode())
    expected = {port: sum(row["port"] == port for row in rows) for port in ports}

    def arrived():
        counts, _ = taken()
        return all(counts[port] - before[port] >= expected[port] for port in ports)
    try:
        wait(arrived, 15, "the golden lines", pause=0.2)
    except TimeoutError:
        pass
    mesh.settle(60)
    after, refused_after = stable(taken)
    for socket in sockets.values():
        socket.close()
    got = {port: after[port] - before[port] for port in ports}
    # Nobody else sends any more: a line that counts twice is as wrong as one that is lost.
    line.equal("golden lines taken, by port", got, expected)
    line.check("there are golden lines for every port", all(expected.values()), expected)
    refused = {name: number - refused_before.get(name, 0) for name, number in refused_after.items()
               if number > refused_before.get(name, 0)}
    line.equal("golden lines refused", refused, {})
    return len(rows), sum(min(got[port], expected[port]) for port in ports), sum(refused.values())


def port_names():
    """Number -> name of the usual ports: golden lines name the number."""
    with open(os.path.join(ROOT, "ports.yaml"), encoding="utf-8") as file:
        return {int(number): name for number, name in re.findall(r"port: +(\d+), name: +([a-z-]+)", file.read())}


def stable(look, pause=1.5):
    """What is seen when it does not change any more: services report once a second."""
    last = None
    while (now := look()) != last:
        last = now
        time.sleep(pause)
    return now
