"""Who speaks on the command port: the fence of position-tracker and node-registry, tried from outside.

A Redis, a node-registry and a position-tracker of its own; terminals are real DEALER sockets of python3-zmq, half-open
connections are bytes on a TCP socket that nobody answers on any more. `--full` runs the doses of the proof; other
words choose the chapters that have them in their titles.
Prints one line a check, then `N passed, N failed, N skipped`. MESH_PRODUCTS names the folder of the executables.
"""

import json
import os
import random
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import zmq

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from checks import Report  # noqa: E402
import identity_clocks  # noqa: E402
import identity_doors  # noqa: E402
import identity_intake  # noqa: E402
import identity_money  # noqa: E402
import identity_pulls  # noqa: E402
from private_mesh import ROOT, PrivateMesh  # noqa: E402

SEED = 20_261_121


class SmallMesh(PrivateMesh):
    """Only what the fence is made of, without a supervisor."""

    # Each with a port of its own, by which it is seen to be up.
    PARTS = {"node-registry": "registry", "position-tracker": "orders", "handshake-processor": "market-relay",
             "confirmation-logger": "ea-receipts"}

    def start(self):
        self.processes = {}
        self.start_redis()
        for part in self.PARTS:
            self.start_part(part)

    def start_redis(self):
        self.processes["redis"] = self._run(
            ["redis-server", "--port", str(self.ports["state"]), "--bind", "127.0.0.1", "--dir", self.directory,
             "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", ""])
        self._until(self.answers)

    def answers(self):
        try:
            return self.redis("PING") == "PONG"
        except (OSError, EOFError, RuntimeError):
            return False

    def run_part(self, part):
        self.processes[part] = self._run(
            [os.path.join(self.products, part), "--config", self.config,
             "--redis", f"redis://127.0.0.1:{self.ports['state']}", "--log-level", "error"])

    def start_part(self, part):
        self.run_part(part)
        self._until(lambda: int(self.hash(f"service:{part}").get("pid", 0)) == self.processes[part].pid
                    and self.listens(self.ports[self.PARTS[part]]))

    def stop_part(self, part):
        process = self.processes.pop(part)
        process.terminate()
        process.wait(20)

    def stop(self):
        for part in list(self.processes)[::-1]:
            self.stop_part(part)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _run(self, command):
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.directory, "errors"), "ab"))

    @staticmethod
    def _until(condition, within=30):
        end = time.monotonic() + within
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("a process of the small mesh did not come up")
            time.sleep(0.05)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.processes['position-tracker'].pid}/fd"))


class Fence:
    def __init__(self, mesh, report):
        self.mesh, self.report = mesh, report
        self.context = zmq.Context(io_threads=2)
        self.context.setsockopt(zmq.MAX_SOCKETS, 30_000)
        self.desk = self.request_socket("orders")
        self.registry = self.request_socket("registry")
        self.requests = 0

    def request_socket(self, port):
        desk = self.context.socket(zmq.DEALER)
        desk.linger = 0
        desk.connect(self.mesh.endpoint(port))
        return desk

    def ask(self, desk, **fields):
        self.requests += 1
        fields["request_id"] = str(self.requests)
        desk.send(json.dumps(fields).encode())
        while desk.poll(5000):
            reply = json.loads(desk.recv_multipart()[-1])
            if reply.get("request_id") == str(self.requests):
                return reply
        return {}

    def dealer(self, identity, source=None):
        dealer = self.context.socket(zmq.DEALER)
        dealer.linger = 0
        dealer.identity = identity.encode()
        endpoint = self.mesh.endpoint("ea-commands")
        dealer.connect(endpoint.replace("//", f"//{source}:0;") if source else endpoint)
        return dealer

    @staticmethod
    def hello(user, node, account="1001", server="Fence-Demo"):
        return json.dumps({"type": "HELLO", "target_uuid": user, "node_id": node, "account_login": account,
                           "broker": server, "company": "Fence", "terminal": "MT5", "currency": "USD",
                           "balance": 10000.0, "equity": 10000.0, "leverage": 100, "symbols": 1, "version": "2.05",
                           "timestamp": "2025.09.15 19:41:16"}, separators=(",", ":")).encode()

    def ping(self, user):
        return self.ask(self.desk, type="ping", user_uuid=user)

    def reason(self, user):
        reply = self.ping(user)
        return reply.get("reason") or ("sent" if reply.get("commands") else str(reply))

    def until(self, observe, wanted, within):
        end = time.monotonic() + within
        while True:
            seen = observe()
            if seen == wanted or time.monotonic() > end:
                return seen
            time.sleep(0.05)

    def connect(self, user, source=None, tick=1, account="1001"):
        terminal = self.dealer(user[:-1], source)
        terminal.send(self.hello(user, f"NODE_{account}_{tick}", account))
        return terminal

    @staticmethod
    def read(terminal, within=2000):
        got = []
        while terminal.poll(within if not got else 100):
            got.append(json.loads(terminal.recv()))
        return got

    def node(self, user):
        return self.ask(self.registry, type="node", user_uuid=user).get("node", {})

    def events(self, kind, user):
        rows = self.mesh.redis("XRANGE", "events:nodes", "-", "+") or []
        found = 0
        for _, fields in rows:
            fields = dict(zip(fields[::2], fields[1::2]))
            found += fields.get("event") == kind and fields.get("user_uuid") == user
        return found

    # -- chapters

    def silent_stranger(self):
        honest = self.connect("silent_honest_0", tick=11)
        self.report.equal("a terminal that said HELLO gets a command",
                          self.until(lambda: self.reason("silent_honest_0"), "sent", 5), "sent")
        self.read(honest)
        stranger = self.dealer("silent_honest_")
        time.sleep(0.5)
        self.report.equal("beside a silent second peer of its identity it still does",
                          self.reason("silent_honest_0"), "sent")
        self.report.equal("the command reached the terminal", len(self.read(honest)), 1)
        self.report.equal("and not the stranger", self.read(stranger, 500), [])
        honest.close()
        time.sleep(0.3)
        self.report.equal("with the terminal gone nothing is sent to the name",
                          self.reason("silent_honest_0"), "node_offline")
        self.report.equal("the stranger has got nothing", self.read(stranger, 500), [])
        stranger.close()

    def restarts(self, count):
        """Half-open connections: their bytes are written by hand, and nobody answers on them."""
        before = self.mesh.descriptors()
        halves = []
        for number in range(count):
            user = f"restart_{number:05d}_0"
            half = socket.create_connection(("127.0.0.1", self.mesh.ports["ea-commands"]))
            hello = self.hello(user, f"NODE_{2000 + number}_1", str(2000 + number))
            half.sendall(handshake(user[:-1].encode()) + frame(hello))
            halves.append(half)
        last = f"restart_{count - 1:05d}_0"
        seen = self.until(lambda: self.reason(last), "sent", 20)
        self.report.equal(f"{count} terminals are there before they vanish", seen, "sent")
        began = time.monotonic()
        terminals = {}
        for number in range(count):
            user = f"restart_{number:05d}_0"
            terminals[user] = self.connect(user, tick=2, account=str(2000 + number))
        waiting, slowest = set(terminals), 0.0
        while waiting and time.monotonic() - began < 40:
            # Asked all at once: this client must not be what is slow.
            for user in waiting:
                self.desk.send(json.dumps({"type": "ping", "user_uuid": user}).encode())
            for _ in range(len(waiting)):
                if not self.desk.poll(5000):
                    break
                self.desk.recv_multipart()
            time.sleep(0.25)
            for user in sorted(waiting):
                if terminals[user].poll(0):
                    waiting.discard(user)
                    slowest = time.monotonic() - began
        self.report.equal("restarted terminals without a command after 25 s", (len(waiting), slowest <= 25), (0, True))
        print(f"        {count} restarted, the slowest commanded after {slowest:.1f} s", flush=True)
        for terminal in terminals.values():
            terminal.close()
        for half in halves:
            half.close()
        after = self.until(lambda: self.mesh.descriptors() <= before + 5, True, 15)
        self.report.check("descriptors are back where they were", after, f"{self.mesh.descriptors()} of {before}")

    def neighbours(self, groups, commands):
        users, terminals = [], {}
        for group in range(groups):
            for digit in range(10):
                user = f"group_{group:05d}_{digit}"
                users.append(user)
                terminals[user] = HandMade(self.mesh, user[:-1])
                terminals[user].send(self.hello(user, f"NODE_{10_000 + group * 10 + digit}_3"))
        last = users[-1]
        self.until(lambda: self.reason(last), "identity_conflict", 60)
        self.until(lambda: sum(self.reason(name) == "identity_conflict" for name in users[::97]), len(users[::97]), 60)
        reasons = {}
        generator = random.Random(SEED)
        for _ in range(commands):
            user = generator.choice(users)
            reason = self.reason(user)
            reasons[reason] = reasons.get(reason, 0) + 1
        self.report.equal(f"{commands} commands to {groups} groups of ten neighbours",
                          reasons, {"identity_conflict": commands})
        wrong = sum(other != user for user, terminal in terminals.items() for other in terminal.targets())
        self.report.equal("commands that reached another terminal", wrong, 0)
        user = users[0]
        self.report.equal("the registry names the conflict", self.until(
            lambda: self.node(user).get("identity_conflict"), "shared_identity", 5), "shared_identity")
        self.mesh.stop_part("position-tracker")
        self.mesh.start_part("position-tracker")
        time.sleep(1)
        for terminal in terminals.values():
            terminal.close()
        terminals = {user: self.dealer(user[:-1])}
        terminals[user].send(self.hello(user, "NODE_10000_3", "10000"))
        self.until(lambda: self.reason(user), "identity_conflict", 10)
        self.report.equal("after a restart of ours it is still fenced", self.reason(user), "identity_conflict")
        cleared = self.ask(self.desk, type="clear_conflict", user_uuid=user, reason="neighbours were renamed")
        self.report.equal("an operator clears it", cleared.get("cleared"), "shared_identity")
        terminals[user].send(self.hello(user, "NODE_10000_3", "10000"))
        self.report.equal("and the one terminal left is served",
                          self.until(lambda: self.reason(user), "sent", 5), "sent")
        self.report.equal("the registry shows it clear", self.until(
            lambda: self.node(user).get("identity_conflict"), None, 5), None)
        for terminal in terminals.values():
            terminal.close()

    def two_addresses(self):
        user = "cloned_user_0"
        first = self.connect(user, "127.0.0.3", tick=4, account="3001")
        self.until(lambda: self.reason(user), "sent", 5)
        self.read(first)
        second = self.connect(user, "127.0.0.4", tick=5, account="3001")
        seen = self.until(lambda: (self.node(user).get("identity_conflict"), self.reason(user)),
                          ("two_addresses", "identity_conflict"), 10)
        self.report.equal("a cloned machine is named and fenced", seen, ("two_addresses", "identity_conflict"))
        self.report.equal("the second one got no command", self.read(second, 200), [])
        self.read(first, 200)
        self.reason(user)
        self.report.equal("and neither did the first, once there were two",
                          (self.read(first, 300), self.read(second, 100)), ([], []))
        self.ask(self.desk, type="set_user", user_uuid=user, addresses="127.0.0.3")
        self.ask(self.desk, type="clear_conflict", user_uuid=user, reason="bound to its address")
        second.send(self.hello(user, "NODE_3001_5", "3001"))
        time.sleep(0.5)
        self.report.equal("bound to its address it is served beside the copy", self.reason(user), "sent")
        self.report.equal("the command reached the right one",
                          (len(self.read(first)), self.read(second, 300)), (1, []))
        first.close()
        second.close()

    def moved(self):
        user = "moved_user_0"
        first = self.connect(user, "127.0.0.5", tick=6, account="4001")
        self.until(lambda: self.reason(user), "sent", 5)
        first.close()
        time.sleep(0.3)
        second = self.connect(user, "127.0.0.6", tick=7, account="4001")
        seen = self.until(lambda: self.reason(user), "identity_conflict", 5)
        self.report.equal("a name that speaks from elsewhere is fenced", seen, "identity_conflict")
        self.ask(self.desk, type="clear_conflict", user_uuid=user, reason="the customer moved")
        self.report.equal("cleared, it is served at once", self.until(lambda: self.reason(user), "sent", 2), "sent")
        second.close()

    def strangers(self, honest, count):
        terminals = {f"victim_{n:02d}_0": self.connect(f"victim_{n:02d}_0", "127.0.0.7", tick=8, account=str(5000 + n))
                     for n in range(honest)}
        for user in terminals:
            self.until(lambda user=user: self.reason(user), "sent", 5)
            self.read(terminals[user], 200)
        generator = random.Random(SEED)
        sockets, names, claimed = [], sorted(terminals), set()
        for number in range(count):
            name, told = generator.choice(names), generator.choice(names)
            elsewhere = f"127.0.{generator.randrange(1, 250)}.{generator.randrange(1, 250)}"
            source = generator.choice([elsewhere, "127.0.0.7"])
            stranger = self.dealer(name[:-1] if number % 3 else f"stranger_{number}", source)
            for _ in range(generator.randrange(0, 3)):
                claimed.add(told if number % 2 else name)
                stranger.send(self.hello(told if number % 2 else name, f"NODE_{5000 + number % honest}_8",
                                         str(5000 + number % honest)))
            sockets.append(stranger)
        end = time.monotonic() + 12
        asked = 0
        while time.monotonic() < end:
            for user in names:
                self.reason(user)
                asked += 1
        delivered = sum(len(self.read(stranger, 0)) for stranger in sockets)
        self.report.equal(f"commands of {asked} that reached one of {count} strangers", delivered, 0)
        alerts = {user: self.events("conflict", user) for user in claimed}
        # One for each kind of doubt a victim came into, not for each attempt.
        self.report.check("an event for each victim, not for each attempt",
                          all(1 <= n <= 3 for n in alerts.values()), alerts)
        for stranger in sockets:
            stranger.close()
        for terminal in terminals.values():
            terminal.close()

    def interoperates(self, count):
        """Real sockets of libzmq against our own ZMTP."""
        rejected = lambda: json.loads(self.mesh.hash("service:position-tracker").get("rejected", "{}"))  # noqa: E731
        asking = self.context.socket(zmq.REQ)
        asking.linger = 0
        asking.connect(self.mesh.endpoint("ea-commands"))
        asking.send(self.hello("asking_user_0", "NODE_7001_1", "7001"))
        self.report.equal("a REQ peer is heard", self.until(lambda: self.reason("asking_user_0"), "sent", 5), "sent")
        peers = {f"crowd_{n:04d}_0": self.connect(f"crowd_{n:04d}_0", tick=1, account=str(8000 + n))
                 for n in range(count)}
        names = sorted(peers)
        for user in names:
            self.until(lambda user=user: self.reason(user), "sent", 20)
        got = sum(bool(peer.poll(2000)) and json.loads(peer.recv())["target_uuid"] == user
                  for user, peer in peers.items())
        self.report.equal(f"{count} DEALERs at once, each got its own command", got, count)
        large = self.connect("large_user_0", tick=1, account="7002")
        large.send(b'{"type":"HELLO","x":"' + b"a" * 60_000 + b'"}')
        large.send_multipart([b"one", b"two", b"three"])
        self.report.equal("after a large and a multipart message a terminal is still there",
                          self.until(lambda: self.reason("large_user_0"), "sent", 5), "sent")
        large.send(b"b" * 100_000)
        self.report.equal("a frame that is too long costs its sender the connection",
                          self.until(lambda: self.reason("large_user_0"), "node_offline", 5), "node_offline")
        self.report.equal("and nobody else anything", self.reason(names[0]), "sent")
        self.report.check("both are counted", self.until(
            lambda: {"multipart", "frame_too_long"} <= set(rejected()), True, 8), rejected())
        self.mesh.stop_part("position-tracker")
        self.mesh.start_part("position-tracker")
        for number, user in enumerate(names):
            peers[user].send(self.hello(user, f"NODE_{8000 + number}_1", str(8000 + number)))
        back = self.until(lambda: sum(self.reason(user) == "sent" for user in names[::10]), len(names[::10]), 30)
        self.report.equal("after a restart of ours they are back by themselves", back, len(names[::10]))
        for terminal in [asking, large, *peers.values()]:
            terminal.close()

    def emptied_redis(self):
        user = "emptied_user_0"
        terminal = self.connect(user, tick=9, account="9600019")
        self.until(lambda: self.mesh.hash("node:NODE_9600019_9").get("status"), "active", 5)
        self.mesh.redis("FLUSHALL")
        row = self.until(lambda: self.mesh.hash("node:NODE_9600019_9").get("user_uuid"), user, 10)
        self.report.equal("an emptied Redis gets its nodes again within 10 s", row, user)
        found = self.ask(self.registry, type="find", q="9600019")
        self.report.equal("found by its login", [n["user_uuid"] for n in found.get("items", [])], [user])
        terminal.close()


class HandMade:
    """A terminal of one descriptor: ten thousand of them are more than one process may have of libzmq's."""

    def __init__(self, mesh, identity):
        self.socket = socket.create_connection(("127.0.0.1", mesh.ports["ea-commands"]))
        self.socket.sendall(handshake(identity.encode()))

    def send(self, payload):
        self.socket.sendall(frame(payload))

    def targets(self):
        """Whom the commands that came are for."""
        self.socket.setblocking(False)
        data = b""
        try:
            while portion := self.socket.recv(65_536):
                data += portion
        except BlockingIOError:
            pass
        return [part.split(b'"')[0].decode() for part in data.split(b'"target_uuid":"')[1:]]

    def close(self):
        self.socket.close()


def handshake(identity, kind=b"DEALER"):
    """What libzmq 4 sends before its first message. Source: RFC 23/ZMTP 3.0."""
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
    body = b"\x05READY"
    for name, value in ((b"Socket-Type", kind), (b"Identity", identity)):
        body += bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
    return greeting + bytes([4, len(body)]) + body


def frame(payload):
    return (bytes([0, len(payload)]) if len(payload) < 256 else b"\x02" + struct.pack(">Q", len(payload))) + payload


def main():
    full = "--full" in sys.argv
    products = os.environ.get("MESH_PRODUCTS", os.path.join(ROOT, ".build", "release"))
    report = Report()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if not all(os.path.exists(os.path.join(products, part)) for part in SmallMesh.PARTS):
        report.skip("the fence from outside", f"{products} has no executables; build first")
    else:
        print(f"seed {SEED}", flush=True)
        mesh = identity_pulls.with_listener(SmallMesh)(products)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            mesh.start()
            fence = Fence(mesh, report)
            chapters = {
                "a silent stranger": (fence.silent_stranger,),
                "restarts behind half-open connections": (fence.restarts, 500 if full else 40),
                "a copy at another address": (fence.two_addresses,),
                "a customer who moved": (fence.moved,),
                "strangers": (fence.strangers, 20, 1000 if full else 60),
                "libzmq's own sockets": (fence.interoperates, 1000 if full else 50),
                "whose PULL it is": (identity_pulls.pulls, fence, handshake),
                "telemetry in another's name": (identity_intake.telemetry, fence),
                "confirmations of what is another's": (identity_intake.confirmations, fence),
                "quotes in another's name": (identity_money.quotes, fence),
                "money of another's account": (identity_money.statistics, fence),
                "the same login at another broker": (identity_doors.other_broker, fence),
                "what an operator takes in": (identity_money.held_of_two, fence),
                "who speaks first": (identity_doors.first_word, fence, handshake, frame),
                "a first start without Redis": (identity_money.first_start, fence),
                "a crowd of one address": (identity_doors.receipts_door, fence),
                "a list that is whole or not there": (identity_money.whole_list, fence),
                "two addresses of one user": (identity_intake.several_addresses, fence),
                "users nobody knows": (identity_intake.unknown_users, fence),
                "floods on the command port": (identity_intake.floods, fence, handshake, frame),
                "peers that stop answering": (identity_clocks.silent_peers, fence, handshake, frame),
                "brokers' clocks": (identity_clocks.offsets, fence),
                "depths of queues": (identity_clocks.queues, fence),
                "an emptied Redis": (fence.emptied_redis,),
                "neighbours": (fence.neighbours, 1000 if full else 20, 10_000 if full else 400),
            }
            wanted = [word for word in sys.argv[1:] if not word.startswith("--")]
            for title, (body, *arguments) in chapters.items():
                if wanted and not any(word in title for word in wanted):
                    continue
                report.chapter(title, body, *arguments)
        finally:
            if os.environ.get("KEEP_STATE"):
                print(f"state kept in {mesh.directory}", flush=True)
            else:
                mesh.stop()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
