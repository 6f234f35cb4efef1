"""What must hold when processes, Redis or the disk fail: nothing lost, nothing twice."""

import json
import os
import random
import resource
import signal
import time

import zmq

from confirmation_world import own, rss


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
            self.messages.append(own(ticket, "order_closed", f"{cents / 100:.2f}", close_time=str(10_000 + ticket), **common))
        for seq, message in enumerate(self.messages, 1):
            message["seq"] = seq
        self.cents = [round(float(m["profit"]) * 100) for m in self.messages if "profit" in m]
        # Each message is answered by its own number: what has no answer is sent again, however much behind it has one.
        self.answered = set()
        self.confirmed, self.sent, self.heard_at = 0, 0, time.monotonic()
        self.socket = world.dealer()

    @property
    def is_done(self):
        return self.confirmed == len(self.messages)

    def turn(self, window=64):
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
        while self.sent < min(len(self.messages), self.confirmed + window):
            try:
                self.socket.send(json.dumps(self.messages[self.sent]).encode(), zmq.DONTWAIT)
            except zmq.Again:
                return
            self.sent += 1


def run_terminals(world, terminals, fault=None, seconds=90, every=0.6):
    deadline, next_fault, faults = time.monotonic() + seconds, time.monotonic() + every, 0
    while not all(terminal.is_done for terminal in terminals):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{sum(t.confirmed for t in terminals)} confirmed; {world.log()[-1500:]}")
        for terminal in terminals:
            terminal.turn()
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
        return sum(world.number("total_trades", f"account:{t.node.split('_')[1]}") for t in terminals) >= trades
    world.wait(booked, 60, f"{title}: all is booked")
    wrong = []
    for terminal in terminals:
        scope = f"account:{terminal.node.split('_')[1]}"
        expected = [len(terminal.cents), len(terminal.cents), sum(c for c in terminal.cents if c > 0) * 1_000_000,
                    -sum(c for c in terminal.cents if c < 0) * 1_000_000]
        seen = [world.number(n, scope) for n in ("opened", "total_trades", "gross_profit.EUR@unknown", "gross_loss.EUR@unknown")]
        if seen != expected:
            wrong.append((scope, seen, expected))
    report.check(f"{title}: {2 * trades} sent, each booked once, sums exact", not wrong, wrong[:2])
    for terminal in terminals:
        terminal.socket.close()
    ids = world.stream_ids()
    report.check(f"{title}: the hand-over tells nothing twice ({len(ids)} entries)", len(ids) == len(set(ids)))


def kills(world, rounds):
    terminals = fleet(world, 2000, 10, 60 * rounds, 4711)

    def fault():
        world.kill_logger()
        world.launch_logger()
    faults = run_terminals(world, terminals, fault)
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
    faults = run_terminals(world, terminals, fault, every=0.8)
    check_sums(world, f"Redis killed {faults} times under load", terminals)

    terminals = fleet(world, 3200, 8, 60, 4714)
    os.kill(world.redis_server.pid, signal.SIGSTOP)
    run_terminals(world, terminals)
    os.kill(world.redis_server.pid, signal.SIGCONT)
    check_sums(world, "Redis frozen", terminals)


def rebuild(world):
    """An emptied Redis is made again from the journal, also what was joined with fires that are gone."""
    report = world.report
    before = world.statistics()
    ids = sorted(world.stream_ids())
    trade = world.mesh.hash("trade:COMMANDER_DEV_001|843859|21604324|closed|0.1")
    world.redis("FLUSHALL")
    push = world.push()
    push.send(json.dumps(own(900, "order_opened", user="outside_rebuild")).encode())
    world.wait(lambda: world.redis("EXISTS", "trade:outside_rebuild|1|900|opened"), 60, "it is booked again to the last")
    after = world.statistics()
    for scope in ("global", "symbol:EURUSD", "account:1"):
        for field in ("opened", "orphans"):
            if field in before.get(scope, {}):
                before[scope][field] = str(int(before[scope][field]) + 1)
    differences = {s: (before.get(s), after.get(s)) for s in before.keys() | after.keys() if before.get(s) != after.get(s)}
    report.check(f"{len(after)} scopes of statistics are as before", not differences, dict(list(differences.items())[:2]))
    report.equal("the events have the same ids", sorted(world.stream_ids()), sorted(ids + ["outside_rebuild|1|900|opened"]))
    report.equal("and the same content, joined as they were", world.mesh.hash("trade:COMMANDER_DEV_001|843859|21604324|closed|0.1"), trade)
    world.kill_logger()
    world.redis("FLUSHALL")
    world.start_logger()
    world.wait(lambda: world.redis("EXISTS", "trade:outside_rebuild|1|900|opened"), 60, "it is booked again at the start")
    again = world.statistics()
    report.check("emptied while it was down: the same", again == after, [s for s in after if again.get(s) != after[s]][:3])
    push.close()


def full_disk(world):
    """A disk that takes nothing more: no acknowledgement, said at once, nothing lost, well again by itself."""
    report, dealer = world.report, world.dealer()
    pid = world.logger.pid
    segment = max(f for f in os.listdir(os.path.join(world.directory, "var/journal")) if f.endswith(".log"))
    size = os.path.getsize(os.path.join(world.directory, "var/journal", segment))
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 300, hard))
    for seq in range(1, 21):
        dealer.send(json.dumps(own(800 + seq, "order_opened", seq=seq, node="NODE_8_8", user="outside_full")).encode())
    world.wait(lambda: "journal_disk" in world.service().get("problems", {}), 5, "it is said")
    report.check("a full disk is said in the service's report", True)
    # The first may have fitted; behind it nothing is acknowledged.
    early = 0
    while dealer.poll(300):
        dealer.recv_multipart()
        early += 1
    report.check("what is not on disk is not acknowledged", early < 20, early)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    answers = []
    while len(answers) + early < 20 and dealer.poll(5000):
        answers.append(json.loads(dealer.recv_multipart()[-1]))
    report.equal("when there is room again everything is, and nothing was lost", early + len(answers), 20)
    world.wait(lambda: world.redis("EXISTS", "trade:outside_full|1|820|opened"), 5, "it is booked")
    world.wait(lambda: "journal_disk" not in world.service().get("problems", {}), 5, "the problem is over")
    dealer.close()


def the_end(world):
    """SIGTERM: what was taken is finished, the exit is 0, the next start has nothing to do."""
    report, push = world.report, world.push()
    push.setsockopt(zmq.LINGER, 2000)
    for ticket in range(1, 201):
        push.send(json.dumps(own(ticket, "order_opened", user="outside_end", account="77")).encode())
    world.wait(lambda: world.number("opened", "account:77") >= 1, 5, "the first are booked")
    began = time.monotonic()
    world.logger.send_signal(signal.SIGTERM)
    code = world.logger.wait(10)
    report.check(f"it ends with 0 within 5 s ({time.monotonic() - began:.2f} s)", code == 0 and time.monotonic() - began < 5, code)
    report.equal("with everything booked", world.number("opened", "account:77"), 200)
    world.start_logger()
    push.close()


def speed(world, count):
    """Confirmations made durable and applied a second, and the round trip on the receipts port."""
    report, pushes = world.report, [world.push() for _ in range(8)]
    messages = [json.dumps(own(t, "order_opened", user=f"outside_speed_{t % 50}", account=str(9000 + t % 50))).encode()
                for t in range(1, count + 1)]
    for push in pushes:
        push.sndhwm = 0
    start = world.number("opened")
    began = time.monotonic()
    for index, message in enumerate(messages):
        pushes[index % 8].send(message)
    sent = time.monotonic() - began
    world.wait(lambda: world.number("opened") - start >= count, 180, "all are booked")
    seconds = time.monotonic() - began
    print(f"speed   {count} confirmations durable and applied in {seconds:.2f} s: {count / seconds:.0f}/s "
          f"(appendfsync always; sent within {sent:.2f} s); memory {rss(world.logger.pid)} MB", flush=True)
    report.check("thousands a second", count / seconds > 1000, count / seconds)
    dealer, times = world.dealer(), []
    for seq in range(1, 2001):
        moment = time.perf_counter()
        answer = world.ask(dealer, own(seq, "order_opened", seq=seq, node="NODE_5_5", user="outside_trip"))
        times.append(time.perf_counter() - moment)
        if not (answer or {}).get("ok"):
            report.check("every one is answered", False, answer)
        time.sleep(max(0, 0.001 - times[-1]))
    times.sort()
    path = os.path.join(world.directory, "raw")
    raw = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(500):
            file.write(b"x" * 500)
            moment = time.perf_counter()
            os.fdatasync(file.fileno())
            raw.append(time.perf_counter() - moment)
    raw.sort()
    print(f"speed   round trip on ea-receipts p50 {times[1000] * 1e6:.0f} us, p99 {times[1980] * 1e6:.0f} us; "
          f"one raw fdatasync p50 {raw[250] * 1e6:.0f} us, p99 {raw[495] * 1e6:.0f} us", flush=True)
    for one in pushes + [dealer]:
        one.close()
