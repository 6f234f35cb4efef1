"""Strangers on the ports that only take: telemetry and confirmations in another's name, tried from outside.

Chapters of identity_fence.py. Each user has his own address of this machine (127.0.0.x), so that a stranger's is another.
"""

import json
import socket
import time

import zmq


def connect(fence, kind, name, address):
    peer = fence.context.socket(kind)
    peer.linger = 0
    peer.connect(fence.mesh.endpoint(name).replace("//", f"//{address}:0;"))
    return peer


def handshake(user, node, account, server="Fence-Demo", **more):
    return json.dumps({"type": "handshake", "node_id": node, "user_uuid": user, "account": int(account), "broker": "Fence",
                       "server": server, "company": "Fence", "terminal": "MT5", "currency": "USD", "leverage": 100,
                       "balance": 5000.0, "equity": 5000.0, "symbols": ["EURUSD"], "version": "2.05",
                       "socket_type": "DEALER", **more}, separators=(",", ":")).encode()


def heartbeat(user, node, account, equity):
    return json.dumps({"type": "heartbeat", "node_id": node, "user_uuid": user, "account": int(account),
                       "balance": equity, "equity": equity, "free_margin": equity, "margin_level": 0.0,
                       "ticks_processed": 7}, separators=(",", ":")).encode()


def own_form(ticket, result, user=None, account="9711", server="Fence-Demo", **more):
    fields = {"ticket": ticket, "symbol": "EURUSD", "result": result, "type": "buy", "volume": 0.1,
              "open_price": "1.10000", "account": account, "server": server, "currency": "USD", **more}
    if user:
        fields["user_uuid"] = user
    if result == "order_closed":
        fields.update(close_price="1.20000", profit="9999.00")
    return json.dumps(fields, separators=(",", ":")).encode()


def counter(mesh, service, kind, name):
    return json.loads(mesh.hash(f"service:{service}").get(kind) or "{}").get(name, 0)


def telemetry(fence):
    """5556 has no routing identity: what tells a stranger from the terminal is where it speaks from."""
    mesh, report = fence.mesh, fence.report
    user, node, account, home, elsewhere = "telemetry_user_0", "NODE_9701_77", "9701", "127.0.0.21", "127.0.0.22"
    terminal = fence.connect(user, home, tick=77, account=account)
    fence.until(lambda: fence.reason(user), "sent", 10)
    fence.until(lambda: mesh.redis("HGET", "terminal_addresses", user), home, 10)
    push = connect(fence, zmq.PUSH, "ea-telemetry", home)
    push.send(handshake(user, node, account))
    push.send(heartbeat(user, node, account, 5000.0))

    def row(*names):
        fields = mesh.hash(f"node:{node}")
        return tuple(fields.get(name) for name in names)
    report.equal("the terminal's own telemetry is in its row",
                 fence.until(lambda: row("status", "leverage"), ("active", "100"), 15), ("active", "100"))
    before = row("account", "server", "equity", "balance", "leverage", "status", "peer_address")
    foreign = counter(mesh, "handshake-processor", "counters", "foreign_telemetry")
    stranger = connect(fence, zmq.PUSH, "ea-telemetry", elsewhere)
    # Known to handshake-processor within two seconds of the terminal's first word.
    end, sent = time.monotonic() + 30, 0
    while counter(mesh, "handshake-processor", "counters", "foreign_telemetry") < foreign + 40:
        if time.monotonic() > end:
            break
        for text in (handshake(user, node, "666", "Evil-Demo", leverage=5), heartbeat(user, node, account, 1.0),
                     heartbeat(None, node, account, 2.0), handshake(user, "NODE_9701_999", "666", "Evil-Demo"),
                     json.dumps({"type": "DISCONNECT", "node_id": node, "user_uuid": user}).encode()):
            stranger.send(text)
            sent += 1
        time.sleep(0.1)
    report.check(f"of {sent} forged messages those are counted as such",
                 counter(mesh, "handshake-processor", "counters", "foreign_telemetry") >= foreign + 40,
                 mesh.hash("service:handshake-processor").get("counters"))
    report.equal("handshake, figures and goodbye from elsewhere changed nothing of its row",
                 row("account", "server", "equity", "balance", "leverage", "status", "peer_address"), before)
    report.equal("no node of the stranger's stands for the user", fence.node(user).get("node_id"), node)
    report.equal("one event for the victim", fence.until(lambda: fence.events("conflict", user), 1, 10), 1)
    report.equal("and it is commanded as before", fence.reason(user), "sent")
    for peer in (terminal, push, stranger):
        peer.close()


def confirmations(fence):
    """Who names another's fire, ticket or terminal, under whatever user or none, on both ports."""
    mesh, report = fence.mesh, fence.report
    victim, ticket, fire, home = "confirmed_user_0", 880_001, "fence-fire-1", "127.0.0.23"
    # By position-tracker itself: what somebody else writes there it takes out again within five seconds.
    fence.ask(fence.desk, type="set_user", user_uuid=victim, addresses=home)
    fence.until(lambda: mesh.redis("HGET", "terminal_addresses", victim), home, 10)
    mesh.redis("HSET", f"fire:{fire}", "user_uuid", victim, "account", "9711", "server", "Fence-Demo", "symbol", "EURUSD",
               "direction", "BUY", "state", "sent")
    mesh.redis("HSET", f"position:Fence-Demo|9711|{ticket}", "user_uuid", victim, "ticket", str(ticket), "server",
               "Fence-Demo", "account", "9711", "state", "open", "symbol", "EURUSD", "direction", "BUY", "lot", "0.10")
    mesh.redis("HSET", "node:NODE_9711_5", "user_uuid", victim, "account", "9711", "server", "Fence-Demo")

    def state():
        keys = ("stats:global", "stats:symbol:EURUSD", "stats:account:9711")
        return [mesh.hash(key) for key in keys], mesh.redis("XLEN", "events:trades")
    before = state()
    pull = connect(fence, zmq.PUSH, "ea-confirmations", "127.0.0.24")
    desk = connect(fence, zmq.DEALER, "ea-receipts", "127.0.0.24")
    count = 0
    for port in (pull, desk):
        for user in ("stranger_user_0", None):
            port.send(own_form(ticket, "order_closed", user))
            port.send(own_form(ticket + 1, "order_opened", user, fire_id=fire))
            port.send(own_form(ticket + 2, "order_opened", user, node_id="NODE_9711_5", seq=1))
            count += 3
        for user in (None, "unknown"):
            # Tickets are numbered on: the next ones can be guessed, and an account's all be closed at once.
            port.send(own_form(ticket + 10, "order_closed", user))
            port.send(own_form(ticket + 11, "order_opened", user))
            port.send(json.dumps({"type": "close_confirmation", "command_type": "close_all", "status": "success",
                                  "account": "9711", "server": "Fence-Demo", **({"user_uuid": user} if user else {})
                                  }, separators=(",", ":")).encode())
            count += 3
    prices = connect(fence, zmq.PUSH, "ea-telemetry", "127.0.0.24")
    refused = counter(mesh, "handshake-processor", "rejected", "unidentified")
    for text in (own_form(ticket, "order_closed"), own_form(ticket + 10, "order_closed"),
                 json.dumps({"type": "error", "signal_id": fire, "message": "no"}).encode(),
                 json.dumps({"type": "pong", "node_id": "NODE_9711_5", "seq": 1}).encode()):
        prices.send(text)
    report.check("results on ea-telemetry from who introduced himself to nobody are refused", fence.until(
        lambda: counter(mesh, "handshake-processor", "rejected", "unidentified") >= refused + 4, True, 30),
        mesh.hash("service:handshake-processor").get("rejected"))
    prices.close()
    seen = fence.until(lambda: counter(mesh, "confirmation-logger", "rejected", "foreign_claim") >= count, True, 30)
    report.check(f"{count} confirmations of what is another's are refused", seen,
                 mesh.hash("service:confirmation-logger").get("rejected"))
    report.equal("no statistics, no event of a trade", state(), before)
    report.check("the victim is named among those whose confirmations alert",
                 any(victim in text for text in mesh.redis("SMEMBERS", "held_confirmations") or []))
    desk.send(json.dumps({"type": "resume", "node_id": "NODE_9711_5", "request_id": "r"}).encode())
    answer = {}
    while desk.poll(5000):
        answer = json.loads(desk.recv_multipart()[-1])
        if answer.get("request_id") == "r":
            break
    report.equal("numbers told in its terminal's name are not its own", answer.get("next_seq"), 1)
    claimed = connect(fence, zmq.DEALER, "ea-receipts", "127.0.0.24")
    claimed.send(own_form(ticket, "order_closed", victim))
    word = json.loads(claimed.recv_multipart()[-1])["error"]["code"] if claimed.poll(10_000) else "no answer"
    report.equal("in the victim's own name it is foreign_address", word, "foreign_address")
    report.equal("and held", mesh.redis("LLEN", f"held_confirmations:{victim}|127.0.0.24"), 1)
    code, text = mesh.meshctl("nodes", "confirmations", victim, "drop")
    report.equal("an operator lets it go", (code, "messages" in text), (0, True))
    report.equal("nothing is held", mesh.redis("EXISTS", f"held_confirmations:{victim}|127.0.0.24"), 0)
    report.equal("statistics as before", state(), before)
    code, _ = mesh.meshctl("nodes", "confirmations", victim, "accept")
    report.equal("with nothing held the word is refused", code, 1)
    for peer in (pull, desk, claimed):
        peer.close()


def several_addresses(fence):
    """A user bound to two addresses is believed from both, and an emptied Redis learns them again."""
    mesh, report = fence.mesh, fence.report
    user, listed = "two_homes_user_0", "127.0.0.25,127.0.0.26"
    fence.ask(fence.desk, type="set_user", user_uuid=user, tier="RECRUIT", addresses=listed)
    report.equal("both are told to whoever judges", fence.until(
        lambda: mesh.redis("HGET", "terminal_addresses", user), listed, 10), listed)
    for address, tick in (("127.0.0.25", 1), ("127.0.0.26", 2)):
        terminal = fence.connect(user, address, tick=tick, account="9721")
        report.equal(f"commanded at {address}", fence.until(lambda: fence.reason(user), "sent", 15), "sent")
        terminal.close()
        fence.until(lambda: fence.reason(user), "node_offline", 10)
    mesh.redis("FLUSHALL")
    report.equal("an emptied Redis has them again", fence.until(
        lambda: mesh.redis("HGET", "terminal_addresses", user), listed, 20), listed)


def unknown_users(fence):
    """A slip of the pen makes no user."""
    ask = lambda **fields: fence.ask(fence.desk, type="set_user", **fields)  # noqa: E731
    code = ask(user_uuid="nobody_here_0", state="suspended").get("error", {}).get("code")
    fence.report.equal("suspending nobody is refused", code, "user_unknown")
    code = ask(user_uuid="nobody_here_0", tier="SERGEANT", existing=True).get("error", {}).get("code")
    fence.report.equal("and so is changing nobody", code, "user_unknown")
    checked = ask(user_uuid="nobody_here_0", tier="SERGEANT", check=True)
    fence.report.equal("a check answers", (checked.get("ok"), checked.get("checked")), (True, True))
    bad = ask(user_uuid="nobody_here_0", tier="EMPEROR", check=True).get("error", {}).get("code")
    fence.report.equal("and refuses what would be refused", bad, "bad_value")
    fence.report.equal("none of them wrote a user", fence.mesh.redis("EXISTS", "user:nobody_here_0"), 0)


def floods(fence, handshake_bytes, frame):
    """One connection goes through names and says HELLO without end; another begins a frame and waits."""
    mesh, report = fence.mesh, fence.report
    honest = fence.connect("quota_honest_0", tick=3, account="9731")
    fence.until(lambda: fence.reason("quota_honest_0"), "sent", 10)
    flood = socket.create_connection(("127.0.0.1", mesh.ports["ea-commands"]))
    flood.sendall(handshake_bytes(b"flood_user_"))
    for number in range(2_000):
        flood.sendall(frame(fence.hello(f"flood_user_{number}", "NODE_9732_1", "9732")))
    seen = fence.until(lambda: counter(mesh, "position-tracker", "rejected", "too_many_users") > 1_000, True, 30)
    report.check("names beyond the first few are refused and counted", seen,
                 mesh.hash("service:position-tracker").get("rejected"))
    report.equal("the honest one is served", fence.reason("quota_honest_0"), "sent")
    flood.close()
    half = socket.create_connection(("127.0.0.1", mesh.ports["ea-commands"]))
    half.sendall(handshake_bytes(b"half_user_") + b"\x02" + (60_000).to_bytes(8, "big") + b"x" * 1000)
    half.settimeout(45)
    closed = False
    try:
        while not closed:
            closed = half.recv(65_536) == b""
    except (TimeoutError, ConnectionResetError) as problem:
        closed = isinstance(problem, ConnectionResetError)
    report.check("a message whose rest does not come costs its sender the connection", closed)
    half.close()
    honest.close()
