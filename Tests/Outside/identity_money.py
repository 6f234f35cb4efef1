"""Strangers who would move prices, statistics or what an operator takes in: chapters of identity_fence.py."""

import json
import os
import time

import zmq

from identity_intake import connect, counter, handshake, own_form


def tick(node, bid, **more):
    return json.dumps({"type": "TICK", "node_id": node, "symbol": "EURUSD", "bid": bid, "ask": bid + 0.0001,
                       "timestamp": time.strftime("%Y.%m.%d %H:%M:%S", time.gmtime()), **more},
                      separators=(",", ":")).encode()


def bar(node, price):
    return json.dumps({"type": "OHLC", "node_id": node, "symbol": "EURUSD", "timeframe": "M1",
                       "time": int(time.time()) // 60 * 60, "open": price, "high": price, "low": price, "close": price,
                       "volume": 1}, separators=(",", ":")).encode()


class Relay:
    """Everything the relay carries of a node."""

    def __init__(self, fence, node):
        self.node = node.encode()
        self.socket = fence.context.socket(zmq.SUB)
        self.socket.linger = 0
        self.socket.subscribe(b"")
        self.socket.connect(fence.mesh.endpoint("market-relay"))

    def heard(self, within=500):
        frames = []
        while self.socket.poll(within if not frames else 200):
            frame = self.socket.recv()
            if self.node in frame:
                frames.append(json.loads(frame))
        return frames

    def hears(self, fence, push, frame):
        """A subscription takes a moment."""
        def once():
            push.send(frame)
            return bool(self.heard(200))
        return fence.until(once, True, 30)


def quotes(fence):
    """Prices in a terminal's name from elsewhere reach nobody, also right after a restart of ours."""
    mesh, report = fence.mesh, fence.report
    user, node, home, elsewhere = "quoting_user_0", "NODE_9751_5", "127.0.0.31", "127.0.0.32"
    terminal = fence.connect(user, home, tick=5, account="9751")
    fence.until(lambda: mesh.redis("HGET", "terminal_addresses", user), home, 15)
    push = connect(fence, zmq.PUSH, "ea-telemetry", home)
    push.send(handshake(user, node, "9751"))
    fence.until(lambda: mesh.hash(f"node:{node}").get("family"), "2.05", 15)
    relay = Relay(fence, node)
    report.check("the terminal's own quotes are relayed", relay.hears(fence, push, tick(node, 1.1)))
    stranger = connect(fence, zmq.PUSH, "ea-telemetry", elsewhere)
    foreign = counter(mesh, "handshake-processor", "counters", "foreign_quotes")

    def forged(number):
        # Compact and in an unusual form, by node and by user, quote and bar.
        return (tick(node, 9.0), tick(node, 9.0) + b"\n", bar(node, 9.0), bar(node, 9.0).replace(b'":', b'": '),
                tick(node, 9.0).replace(f'"node_id":"{node}"'.encode(), f'"user_uuid":"{user}","x":"{node}"'.encode()),
                )[number % 5]
    def is_known():
        stranger.send(forged(4))
        return counter(mesh, "handshake-processor", "counters", "foreign_quotes") > foreign
    # Whose address it is handshake-processor reads within two seconds.
    report.check("a quote that names only the user is refused", fence.until(is_known, True, 20))
    relay.heard(500)
    wrong, own = 0, 0
    for _ in range(20):
        for number in range(50):
            stranger.send(forged(number))
        push.send(tick(node, 1.2))
        got = relay.heard(300)
        wrong += sum(frame.get("bid", frame.get("open")) == 9.0 for frame in got)
        own += sum(frame.get("bid") == 1.2 for frame in got)
    report.equal("of 1,000 forged quotes and bars those that were relayed", wrong, 0)
    report.equal("of its own 20 between them", own, 20)
    named = f'"node_id":"{node}"'.encode()
    invented = f'"node_id":"NODE_invented_0","user_uuid":"{user}","x":"{node}"'.encode()
    nobodys = f'"user_uuid":"{user}","x":"{node}"'.encode()
    victims = [tick(node, 9.0).replace(named, invented), bar(node, 9.0).replace(named, invented),
               bar(node, 9.0).replace(named, nobodys)]
    victims += [frame.replace(b'":', b'": ') for frame in victims]
    relay.heard(500)
    for _ in range(20):
        for frame in victims:
            stranger.send(frame)
    push.send(tick(node, 1.2))
    got = relay.heard(1000)
    report.equal("of 120 that name him and no node of his, relayed", sum(
        frame.get("bid", frame.get("open")) == 9.0 for frame in got), 0)
    report.equal("of its own one beside them", sum(frame.get("bid") == 1.2 for frame in got), 1)
    report.check("and they are counted", fence.until(
        lambda: counter(mesh, "handshake-processor", "counters", "foreign_quotes") >= foreign + 900, True, 15),
        mesh.hash("service:handshake-processor").get("counters"))
    mesh.stop_part("handshake-processor")
    # Before the terminal says a word: its introduction is not repeated.
    stranger.send(handshake("stranger_user_9", node, "9751"))
    for number in range(50):
        stranger.send(forged(number))
    mesh.start_part("handshake-processor")
    for number in range(200):
        stranger.send(forged(number))
        time.sleep(0.005)
    wrong = sum(frame.get("bid", frame.get("open")) == 9.0 for frame in relay.heard())
    report.equal("after a restart of ours, relayed of a stranger who speaks first", wrong, 0)
    report.check("and the terminal's own go on", relay.hears(fence, push, tick(node, 1.3)))
    report.equal("its row is its own", mesh.hash(f"node:{node}").get("user_uuid"), user)
    for peer in (terminal, push, stranger, relay.socket):
        peer.close()


def statistics(fence):
    """Who has no terminal in an account tells nothing of its money, whatever he calls himself."""
    mesh, report = fence.mesh, fence.report
    user, account, server, elsewhere = "account_user_0", "9761", "Fence-Demo", "127.0.0.34"
    terminal = fence.connect(user, "127.0.0.33", tick=5, account=account)
    fence.until(lambda: mesh.redis("GET", f"login_node:{account}"), f"NODE_{account}_5", 15)
    fence.ask(fence.desk, type="set_user", user_uuid="bound_user_0", tier="RECRUIT", account="9762")
    fence.until(lambda: mesh.redis("HGET", "bound_accounts", "9762"), "bound_user_0", 15)

    def state():
        keys = ("stats:global", "stats:symbol:EURUSD", f"stats:account:{account}", "stats:account:9762")
        return [mesh.hash(key) for key in keys], mesh.redis("XLEN", "events:trades")
    before = state()
    refused = counter(mesh, "confirmation-logger", "rejected", "foreign_claim")
    pull = connect(fence, zmq.PUSH, "ea-confirmations", elsewhere)
    desk = connect(fence, zmq.DEALER, "ea-receipts", elsewhere)
    # One who introduced himself with the bound login first is nobody the more for it.
    claimant = fence.connect("claimant_user_0", elsewhere, tick=6, account="9762")
    fence.until(lambda: mesh.redis("GET", "login_node:9762"), "NODE_9762_6", 15)
    count = 0
    for port in (pull, desk):
        for name, login, where in (("nobody_user_0", account, server), ("nobody_user_0", account, None),
                                   ("claimant_user_0", "9762", server)):
            for kind in ("order_opened", "order_closed"):
                port.send(own_form(770_000 + count, kind, name, account=login, server=where))
                count += 1
    seen = fence.until(lambda: counter(mesh, "confirmation-logger", "rejected", "foreign_claim") >= refused + count,
                       True, 30)
    report.check(f"{count} confirmations of another's account are refused", seen,
                 mesh.hash("service:confirmation-logger").get("rejected"))
    report.equal("no statistics, no event of a trade", state(), before)
    own = connect(fence, zmq.DEALER, "ea-receipts", "127.0.0.33")
    for kind in ("order_opened", "order_closed"):
        own.send(own_form(779_000, kind, user, account=account, server=server))
    report.equal("the account's own are booked", fence.until(
        lambda: mesh.hash(f"stats:account:{account}").get("total_trades"), "1", 20), "1")
    # Logins repeat between brokers: one that is bound at another server is another account.
    fence.ask(fence.desk, type="set_user", user_uuid="bound_user_1", tier="RECRUIT", account="9763", server="Other-Demo")
    report.equal("a login is bound at its server", fence.until(
        lambda: mesh.redis("HGET", "bound_accounts", "Other-Demo|9763"), "bound_user_1", 15), "bound_user_1")
    neighbour = fence.connect("neighbour_user_0", "127.0.0.33", tick=7, account="9763")
    fence.until(lambda: mesh.redis("GET", "login_node:9763"), "NODE_9763_7", 15)
    for kind in ("order_opened", "order_closed"):
        own.send(own_form(779_100, kind, "neighbour_user_0", account="9763", server=server))
    report.equal("the same login at another broker is its own user's to tell of", fence.until(
        lambda: mesh.hash("stats:account:9763").get("total_trades"), "1", 20), "1")
    # A registration goes with all that was bound to it.
    fence.ask(fence.desk, type="set_user", user_uuid="bound_user_1", addresses="127.0.0.35")
    bound = fence.until(lambda: mesh.redis("HGET", "terminal_addresses", "bound_user_1"), "127.0.0.35", 15)
    fence.ask(fence.desk, type="remove_user", user_uuid="bound_user_1")
    gone = fence.until(lambda: (mesh.redis("HGET", "terminal_addresses", "bound_user_1") or "")
                       + (mesh.redis("HGET", "bound_accounts", "Other-Demo|9763") or ""), "", 15)
    report.equal("addresses and accounts of a user who is removed", (bound, gone), ("127.0.0.35", ""))
    mesh.redis("HSET", "terminal_addresses", "nobody_at_all_0", "127.0.0.36")
    report.equal("what is in the list of addresses and should not be goes", fence.until(
        lambda: mesh.redis("HGET", "terminal_addresses", "nobody_at_all_0") or "", "", 20), "")
    for peer in (terminal, claimant, pull, desk, own, neighbour):
        peer.close()


def held_of_two(fence):
    """What an operator takes in is one address, not whatever else is held beside it."""
    mesh, report = fence.mesh, fence.report
    user, moved, stranger = "held_user_0", "127.0.0.36", "127.0.0.37"
    terminal = fence.connect(user, "127.0.0.35", tick=5, account="9771")
    fence.until(lambda: mesh.redis("HGET", "terminal_addresses", user), "127.0.0.35", 15)
    peers = {address: connect(fence, zmq.DEALER, "ea-receipts", address) for address in (moved, stranger)}

    def held(address):
        return mesh.redis("LLEN", f"held_confirmations:{user}|{address}")
    # confirmation-logger reads the list once a second.
    for number, (address, peer) in enumerate(peers.items()):
        ticket = [780_000 + 100 * number]

        def told(address=address, peer=peer, ticket=ticket):
            ticket[0] += 1
            peer.send(own_form(ticket[0], "order_opened", user, account="9771"))
            peer.poll(5000)
            return held(address) >= 1
        fence.until(told, True, 20)
    before = mesh.redis("XLEN", "events:trades")
    code, text = mesh.meshctl("nodes", "confirmations", user, "accept")
    report.equal("with two addresses the word alone is refused", (code != 0, stranger in text and moved in text),
                 (True, True))
    report.equal("and nothing is booked", mesh.redis("XLEN", "events:trades"), before)
    wanted = held(moved)
    code, text = mesh.meshctl("nodes", "confirmations", user, "accept", "--address", moved)
    report.equal("one address is taken in", code, 0)
    report.equal("what was told from there is booked", fence.until(
        lambda: mesh.redis("XLEN", "events:trades"), before + wanted, 20), before + wanted)
    report.equal("and struck out", fence.until(lambda: held(moved), 0, 20), 0)
    report.check("what the other one told is still held", held(stranger) >= 1)
    code, _ = mesh.meshctl("nodes", "confirmations", user, "drop", "--address", stranger)
    report.equal("and let go", (code, held(stranger)), (0, 0))
    for peer in (terminal, *peers.values()):
        peer.close()


def first_start(fence):
    """confirmation-logger's first start, with Redis away: who speaks from elsewhere is judged when it is back."""
    mesh, report = fence.mesh, fence.report
    user, elsewhere = "early_user_0", "127.0.0.39"
    terminal = fence.connect(user, "127.0.0.38", tick=5, account="9781")
    fence.until(lambda: mesh.redis("HGET", "terminal_addresses", user), "127.0.0.38", 15)
    fence.until(lambda: mesh.redis("GET", f"user_node:{user}"), "NODE_9781_5", 15)
    before = mesh.redis("XLEN", "events:trades")
    mesh.stop_part("confirmation-logger")
    copy = os.path.join(mesh.directory, "var", "terminal-addresses.json")
    if os.path.exists(copy):
        os.remove(copy)
    mesh.stop_part("redis")
    mesh.run_part("confirmation-logger")
    fence.until(lambda: mesh.listens(mesh.ports["ea-receipts"]), True, 20)
    answers = []
    for address, ticket in ((elsewhere, 790_001), ("127.0.0.38", 790_002)):
        peer = connect(fence, zmq.DEALER, "ea-receipts", address)
        peer.send(own_form(ticket, "order_opened", user, account="9781"))
        answers.append(peer.poll(10_000) and json.loads(peer.recv_multipart()[-1]).get("ok"))
        peer.close()
    report.equal("both are durable at once", answers, [True, True])
    mesh.start_redis()
    report.equal("the terminal's own is booked", fence.until(
        lambda: mesh.redis("XLEN", "events:trades"), before + 1, 30), before + 1)
    report.equal("the stranger's is held", fence.until(
        lambda: mesh.redis("LLEN", f"held_confirmations:{user}|{elsewhere}"), 1, 20), 1)
    tickets = [dict(zip(fields[::2], fields[1::2])).get("ticket")
               for _, fields in mesh.redis("XRANGE", "events:trades", "-", "+")]
    report.equal("and not booked", "790001" in tickets, False)
    mesh.meshctl("nodes", "confirmations", user, "drop")
    for part in mesh.PARTS:
        fence.until(lambda part=part: bool(mesh.hash(f"service:{part}")), True, 30)
    terminal.close()


def whole_list(fence):
    """The list of addresses is never half of itself, however it is lost."""
    mesh, report = fence.mesh, fence.report
    users = [f"listed_{number:04d}_0" for number in range(1_200)]
    for user in users:
        fence.desk.send(json.dumps({"type": "set_user", "user_uuid": user, "tier": "RECRUIT",
                                    "addresses": "127.0.0.40"}).encode())
    for _ in users:
        if fence.desk.poll(10_000):
            fence.desk.recv_multipart()
    fence.until(lambda: mesh.redis("HLEN", "terminal_addresses") >= len(users), True, 30)
    terminals = [fence.connect(user, "127.0.0.40", tick=1, account=str(9_800_000 + number))
                 for number, user in enumerate(users[:50])]
    sizes = set()
    for _ in range(3):
        whole = mesh.redis("HLEN", "terminal_addresses")
        mesh.redis("DEL", "terminal_addresses")
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for terminal, user in zip(terminals[:5], users):
                terminal.send(fence.hello(user, f"NODE_{9_800_000 + users.index(user)}_1", "9800000"))
            size = mesh.redis("HLEN", "terminal_addresses")
            sizes.add(size)
            if size >= whole:
                break
    partial = sorted(size for size in sizes if 0 < size < len(users))
    report.equal("sizes of the list that were seen beside none and whole", partial, [])
    for terminal in terminals:
        terminal.close()
    for user in users:
        fence.desk.send(json.dumps({"type": "remove_user", "user_uuid": user}).encode())
    for _ in users:
        if fence.desk.poll(10_000):
            fence.desk.recv_multipart()
