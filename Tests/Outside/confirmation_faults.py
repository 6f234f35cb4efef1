"""What must hold when processes, Redis or the disk fail: nothing lost, nothing twice."""

import collections
import json
import os
import random
import signal
import sys
import time

import zmq

from confirmation_world import own


class Terminal:
    """Sends numbered confirmations to the receipts port, keeps what is not answered, and sends it again."""

    def __init__(self, world, number, trades, generator):
        self.world = world
        self.node, self.user = f"NODE_{number}_77", f"outside_fault_{number}"
        self.messages = []
        for ticket in range(1, trades + 1):
            cents = generator.randrange(-5000, 5001)
            common = {"node": self.node, "user": self.user, "account": str(number)}
            self.messages.append(own(ticket, "order_opened", **common))
            self.messages.append(own(ticket, "order_closed", f"{cents / 100:.2f}", close_time=str(10_000 + ticket),
                                     **common))
        for seq, message in enumerate(self.messages, 1):
            message["seq"] = seq
        self.event_ids = [f"{self.user}|{number}|{message['ticket']}|"
                          + ("closed|0.1" if "profit" in message else "opened") for message in self.messages]
        self.cents = [round(float(m["profit"]) * 100) for m in self.messages if "profit" in m]
        # Each message is answered by its own number: what has no answer is sent again, however much behind it has one.
        self.answered = set()
        self.confirmed, self.sent, self.heard_at = 0, 0, time.monotonic()
        self.socket = world.dealer()

    @property
    def is_done(self):
        return self.confirmed == len(self.messages)

    def turn(self, limit, window=64):
        while self.socket.poll(0):
            answer = json.loads(self.socket.recv_multipart()[-1])
            if answer.get("ok"):
                self.answered.add(answer["seq"])
                self.heard_at = time.monotonic()
        while self.confirmed + 1 in self.answered:
            self.confirmed += 1
        if self.is_done:
            return
        if time.monotonic() - self.heard_at > 0.4:
            # No answer: a new connection, and everything from the first unanswered number once more.
            self.socket.close()
            self.socket = self.world.dealer()
            self.sent, self.heard_at = self.confirmed, time.monotonic()
        while self.sent < min(len(self.messages), self.confirmed + window, limit):
            try:
                self.socket.send(json.dumps(self.messages[self.sent]).encode(), zmq.DONTWAIT)
            except zmq.Again:
                return
            self.sent += 1


def run_terminals(world, terminals, fault=None, seconds=90, every=0.6, rate=None):
    """Lets them say everything; `rate` messages a second of all together, so that faults meet work."""
    began = time.monotonic()
    deadline, next_fault, faults = began + seconds, began + every, 0
    while not all(terminal.is_done for terminal in terminals):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{sum(t.confirmed for t in terminals)} confirmed; {world.log()[-1500:]}")
        limit = int((time.monotonic() - began) * rate / len(terminals)) + 1 if rate else sys.maxsize
        for terminal in terminals:
            terminal.turn(limit)
        time.sleep(0.001)
        if fault and time.monotonic() > next_fault:
            fault()
            faults += 1
            next_fault = time.monotonic() + every
    return faults


def fleet(world, base, count, trades, seed):
    generator = random.Random(seed)
    return [Terminal(world, base + number, trades, generator) for number in range(count)]


def check_sums(world, title, terminals):
    """Statistics of each account against plain addition of what its terminal said."""
    report = world.report
    trades = sum(len(t.cents) for t in terminals)

    def booked():
        # Where a kill fell between the two, an opening is told again behind its close, and booked after it.
        return all(sum(world.number(name, f"account:{t.node.split('_')[1]}") for t in terminals) >= trades
                   for name in ("total_trades", "opened"))
    world.wait(booked, 60, f"{title}: all is booked")
    wrong = []
    for terminal in terminals:
        scope = f"account:{terminal.node.split('_')[1]}"
        expected = [len(terminal.cents), len(terminal.cents), sum(c for c in terminal.cents if c > 0) * 1_000_000,
                    -sum(c for c in terminal.cents if c < 0) * 1_000_000]
        seen = [world.number(n, scope) for n in ("opened", "total_trades", "gross_profit.EUR@unknown",
                                                 "gross_loss.EUR@unknown")]
        if seen != expected:
            wrong.append((scope, seen, expected))
    report.check(f"{title}: {2 * trades} sent, each booked once, sums exact", not wrong, wrong[:2])
    for terminal in terminals:
        terminal.socket.close()
    check_stream(world, title, terminals)


def check_stream(world, title, terminals):
    """Every event once and none missing; what is wrong is shown with its entries and rows."""
    entries = world.stream()
    counts = collections.Counter(fields["event_id"] for _, fields in entries if fields.get("correction") != "1")
    doubled = [name for name, count in counts.items() if count > 1]
    expected = [name for terminal in terminals for name in terminal.event_ids]
    missing = [name for name in expected if name not in counts]
    story = []
    for name in (doubled + missing)[:4]:
        story.append({"event": name, "row": world.mesh.hash(f"trade:{name}"),
                      "entries": [(entry, place, fields) for place, (entry, fields) in enumerate(entries)
                                  if fields["event_id"] == name]})
    world.report.check(
        f"{title}: the hand-over tells each once ({len(entries)} entries, {len(doubled)} doubled, "
        f"{len(missing)} missing)", not doubled and not missing, (doubled[:4], missing[:4]))
    for line in story:
        print("        " + json.dumps(line)[:3000], flush=True)


def kills(world, rounds):
    terminals = fleet(world, 2000, 10, 60 * rounds, 4711)

    def fault():
        world.kill()
        world.launch()
    faults = run_terminals(world, terminals, fault, rate=800)
    world.wait(lambda: world.service().get("state") == "ready", 15, "the logger is back")
    world.report.check(f"it was killed {faults} times", faults >= 2, faults)
    check_sums(world, "kill -9 of the logger", terminals)


def redis_faults(world):
    """It goes on answering while Redis is away, and catches up."""
    report = world.report
    terminals = fleet(world, 3000, 8, 60, 4712)
    world.redis_server.kill()
    world.redis_server.wait(5)
    run_terminals(world, terminals)
    report.check("confirmations are acknowledged while Redis is away", True)
    world.start_redis()
    began = time.monotonic()
    check_sums(world, "Redis killed and started", terminals)
    report.check(f"it caught up in {time.monotonic() - began:.1f} s", time.monotonic() - began < 30)

    terminals = fleet(world, 3100, 8, 300, 4713)

    def fault():
        world.redis_server.kill()
        world.redis_server.wait(5)
        world.start_redis()
    faults = run_terminals(world, terminals, fault, every=0.8, rate=1500)
    check_sums(world, f"Redis killed {faults} times under load", terminals)

    terminals = fleet(world, 3200, 8, 60, 4714)
    os.kill(world.redis_server.pid, signal.SIGSTOP)
    run_terminals(world, terminals)
    os.kill(world.redis_server.pid, signal.SIGCONT)
    check_sums(world, "Redis frozen", terminals)
