"""What confirmation-logger makes of good and of bad messages."""

import json
import os
import socket as tcp
import time

import zmq

from confirmation_world import golden, own

FIRE = "ELITE_RAPID_EURUSD_1757954363"
USER, NODE, ACCOUNT, TICKET = "COMMANDER_DEV_001", "NODE_843859_109092125", "843859", "21604324"
LIFE = f"{USER}|{ACCOUNT}|{TICKET}"


def golden_trade(world):
    """The fire is joined by its id, the close by its ticket; both once, whatever comes twice."""
    report = world.report
    opening, closing = golden("confirmation fire ok"), golden("close_confirmation ticket")
    world.redis("HSET", f"node:{NODE}", "user_uuid", USER, "account", ACCOUNT, "server", "Broker-Live",
                "currency", "USD")
    world.redis("HSET", f"fire:{FIRE}", "user_uuid", USER, "node_id", NODE, "symbol", "EURUSD.r", "direction", "BUY",
                "lot", "0.10", "sl", "1.17000", "tp", "1.18000", "state", "sent",
                "expires_at", int(time.time() * 1000) + 30_000)
    live, push = world.subscribe(), world.push()
    push.send(opening)
    event = world.event(live) or {}
    report.equal("the opening is published joined to its fire",
                 [event.get(n) for n in ("kind", "event_id", "symbol", "canonical_symbol", "direction", "ticket",
                                         "server")],
                 ["opened", f"{LIFE}|opened", "EURUSD.r", "EURUSD", "BUY", int(TICKET), "Broker-Live"])
    row = world.mesh.hash(f"trade:{LIFE}|opened")
    report.equal("it is in Redis with the text that arrived",
                 [row.get(n) for n in ("open_price", "lot", "orphan", "late", "source_port")],
                 ["1.17620", "0.10", "0", "0", "ea-confirmations"])
    # The tracker's place, as it would be.
    key = f"Broker-Live|{ACCOUNT}|{TICKET}"
    world.redis("SADD", f"account_positions:Broker-Live|{ACCOUNT}", key)
    world.redis("HSET", f"position:{key}", "ticket", TICKET, "state", "open", "current_pnl", "12.00",
                "current_price", "1.17740")
    push.send(closing.replace(b"9405.62", b"9418.02"))
    event = world.event(live) or {}
    report.equal("the close has symbol, fire and the balance step as its profit",
                 [event.get(n) for n in ("kind", "event_id", "symbol", "fire_id", "profit", "profit_source", "final")],
                 ["closed", f"{LIFE}|closed|0.1", "EURUSD.r", FIRE, 12.4, "balance_step", 1])
    for message in (opening, closing.replace(b"9405.62", b"9418.02"), opening):
        push.send(message)
    push.send(golden("confirmation unknown"))
    event = world.event(live) or {}
    report.equal("what came twice is not told twice: the next event is another one", event.get("kind"),
                 "unknown_command")
    world.wait(lambda: world.number("unknown_commands") == 1, 5, "it is booked")
    report.equal("statistics count it once, to the cent",
                 [world.number(n) for n in ("total_trades", "wins", "opened", "gross_profit.USD", "largest_win.USD")],
                 [1, 1, 1, 1_240_000_000, 1_240_000_000])
    report.equal("by symbol and by account",
                 [world.number("total_trades", "symbol:EURUSD"),
                  world.number("gross_profit.USD@Broker-Live", f"account:{ACCOUNT}")], [1, 1_240_000_000])
    report.equal("the durable hand-over has the same three", len(world.stream_ids()), 3)
    report.check("statistics expire",
                 all(world.redis("TTL", k) > 0 for k in ("stats:symbol:EURUSD", f"stats:account:{ACCOUNT}")))
    report.equal("rows of trades have no end before their records are archived",
                 [world.redis("TTL", k) for k in (f"trade:{LIFE}|opened", f"lifecycle:{LIFE}")], [-1, -1])
    live.close()
    push.close()


def receipts(world):
    """The receipts port: an answer once it is on disk, with the sender's own number."""
    report, dealer, req = world.report, world.dealer(), world.dealer(zmq.REQ)
    wins, money = world.number("wins"), world.number("gross_profit.EUR")
    answer = world.ask(dealer, own(1, "order_opened", seq=1))
    report.equal("a DEALER is answered with its own seq", answer, {"ok": True, "seq": 1, "duplicate": False})
    answer = world.ask(dealer, own(1, "order_opened", seq=2))
    report.equal("the same effect again is a duplicate", answer, {"ok": True, "seq": 2, "duplicate": True})
    answer = world.ask(req, own(1, "order_closed", 5.5, seq=4, request_id="abc"))
    report.equal("a REQ is answered, with its request_id", answer,
                 {"ok": True, "request_id": "abc", "seq": 4, "duplicate": False})
    answer = world.ask(req, {"type": "resume", "node_id": "NODE_1_1"})
    report.equal("it can ask where to go on: at the first number that is missing", answer,
                 {"ok": True, "next_seq": 3})
    answer = world.ask(req, {"type": "resume", "node_id": "NODE_9_9"})
    report.equal("a node nobody heard begins at 1", answer, {"ok": True, "next_seq": 1})
    answer = world.ask(req, {"type": "pong", "ping_id": "p", "node_id": "NODE_1_1", "seq": 3})
    report.equal("a pong is answered too", answer, {"ok": True, "seq": 3, "duplicate": False})
    dealer.send_multipart([b"", json.dumps(own(2, "order_opened", seq=5)).encode()])
    report.check("a DEALER with a delimiter gets its answer with one",
                 dealer.poll(3000) and dealer.recv_multipart()[0] == b"")
    for title, message, code in (("not JSON", b"{nonsense", "bad_request"), ("nothing at all", b"", "bad_request"),
                                 ("an unknown type", b'{"type":"dance"}', "unknown_type"),
                                 ("telemetry", b'{"type":"heartbeat","node_id":"N","balance":1}',
                                  "wrong_port")):
        answer = world.ask(req, message) or {}
        error = answer.get("error", {})
        report.check(f"{title} is answered with what is wrong: {code}",
                     answer.get("ok") is False and error.get("code") == code and error.get("message"), answer)
    dealer.send_multipart([b"a", b"b", b"c"])
    answer = json.loads(dealer.recv_multipart()[-1]) if dealer.poll(3000) else {}
    report.check("several frames are answered", answer.get("ok") is False, answer)
    world.wait(lambda: world.number("wins") == wins + 1, 5, "the own form is booked")
    report.equal("its money stands in its own currency", world.number("gross_profit.EUR") - money, 550_000_000)
    world.wait(lambda: world.redis("HGET", "receipts:NODE_1_1", "last_seq") == "5", 5, "the number heard is kept")
    dealer.close()
    req.close()


def merging(world):
    """What a witness told is booked once; the terminal's own word takes its place, and moves sums by the difference."""
    report, dealer = world.report, world.dealer(zmq.REQ)
    who = {"node": "NODE_4_4", "user": "outside_merge", "account": "4"}
    for message in (own(70, "order_opened", source="inferred", witness="positions", **who),
                    own(70, "order_closed", -20.5, source="inferred", witness="balance", **who),
                    own(70, "order_closed", -20.5, source="inferred", witness="balance", **who)):
        world.ask(dealer, message)
    world.wait(lambda: world.number("losses", "account:4") == 1, 5, "the inferred close is booked")
    row = world.mesh.hash("trade:outside_merge|4|70|closed|0.1")
    report.equal("an inferred close is booked as such", [row.get(n) for n in ("source", "witness", "profit_source")],
                 ["inferred", "balance", "balance_step"])
    world.ask(dealer, own(70, "order_opened", **who))
    world.ask(dealer, own(70, "order_closed", 3.25, close_time="77", **who))
    world.wait(lambda: world.number("wins", "account:4") == 1, 5, "the correction is booked")
    world.ask(dealer, own(70, "order_closed", 3.25, close_time="77", **who))
    for witness, profit in (("flat", -9), ("operator", 8)):
        answer = world.ask(dealer, own(70, "order_closed", profit, source="inferred", witness=witness, seq=9, **who))
        report.equal("a witness of what a terminal told is answered as a duplicate", answer,
                     {"ok": True, "seq": 9, "duplicate": True})
    answer = world.ask(dealer, own(71, "order_opened", source="inferred", witness="positions", seq=10, **who))
    report.equal("a witness of something new is not", answer, {"ok": True, "seq": 10, "duplicate": False})
    report.equal("statistics moved by the difference, the largest loss included",
                 [world.number(n, "account:4") for n in (
                     "opened", "total_trades", "wins", "losses", "gross_profit.EUR@unknown", "gross_loss.EUR@unknown",
                     "largest_win.EUR@unknown", "largest_loss.EUR@unknown")],
                 [2, 1, 1, 0, 325_000_000, 0, 325_000_000, 0])
    row = world.mesh.hash("trade:outside_merge|4|70|closed|0.1")
    report.equal("the row has the terminal's figures", [row.get(n) for n in ("source", "profit", "correction")],
                 ["merged", "3.25", "1"])
    told = [(f["kind"], f.get("correction", "0")) for _, f in world.stream() if f["user_uuid"] == "outside_merge"]
    report.equal("the hand-over tells it and its correction, each once", told,
                 [("opened", "0"), ("closed", "0"), ("opened", "1"), ("closed", "1"), ("opened", "0")])
    journals = {fields.get("journal") for _, fields in world.stream()}
    report.equal("every entry of it names the journal", journals, {world.redis("HGET", "journal:state", "journal")})
    dealer.close()


def estimates(world):
    """2.06H answers a close without its money and tells it a moment later: the difference is booked, once."""
    report, push = world.report, world.push()
    who = {"node": "NODE_5_6", "user": "outside_estimate", "account": "6"}
    key = "unknown|6|80"
    world.redis("SADD", "account_positions:unknown|6", key)
    world.redis("HSET", f"position:{key}", "ticket", "80", "state", "open", "current_pnl", "-1.00",
                "current_price", "1.09")
    push.send(json.dumps(own(80, "order_opened", **who)).encode())
    push.send(json.dumps({"type": "close_confirmation", "command_type": "close_ticket", "status": "success",
                          "ticket": 80, "lot": 0.1, "message": "Position closed successfully",
                          "user_uuid": "outside_estimate", "node_id": "NODE_5_6", "account": 6,
                          "currency": "EUR"}).encode())
    world.wait(lambda: world.number("losses", "account:6") == 1, 5, "the estimate is booked")
    row = world.mesh.hash("trade:outside_estimate|6|80|closed|0.1")
    report.equal("the close without money is booked by the quote", [row.get(n) for n in ("profit", "profit_source")],
                 ["-1.00", "quote"])
    exact = json.dumps({"type": "position_closed", "uuid": "outside_estimate", "account": "6", "ticket": 80,
                        "reason": "MANUAL", "close_price": 1.2, "pnl": 4.5}).encode()
    push.send(exact)
    world.wait(lambda: world.number("wins", "account:6") == 1, 5, "the exact money is booked")
    push.send(exact)
    push.send(json.dumps(own(81, "order_opened", **who)).encode())
    world.wait(lambda: world.number("opened", "account:6") == 2, 5, "what came behind is booked")
    row = world.mesh.hash("trade:outside_estimate|6|80|closed|0.1")
    report.equal("the row has the exact money", [row.get(n) for n in ("profit", "profit_source", "correction")],
                 ["4.5", "message", "1"])
    report.equal("statistics moved by the difference, once",
                 [world.number(n, "account:6") for n in (
                     "total_trades", "wins", "losses", "gross_profit.EUR@unknown", "gross_loss.EUR@unknown",
                     "largest_win.EUR@unknown", "largest_loss.EUR@unknown")],
                 [1, 1, 0, 450_000_000, 0, 450_000_000, 0])
    push.close()


BAD = {
    "empty_frame": [b"", b"\0\0\n"],
    "not_json": [b"hello", b'{"type":"confirmation",}', bytes([0xFF, 0xFE, 0x80, 0x22])],
    "truncated": [b'{"type":"confirmation","fire_id":"a'], "too_deep": [b"[" * 400], "not_a_number": [b'{"type":nan}'],
    "not_an_object": [b"[1,2]"], "missing_field": [b'{"no":"type"}'],
    "bad_value": [b'{"type":"confirmation","status":"success","ticket":"x"}',
                  b'{"type":"confirmation","status":"success","ticket":1,"price":1e999}'],
    "unknown_type": [b'{"type":"dance"}'], "wrong_port": [b'{"type":"HEARTBEAT","node_id":"NODE_1_1","balance":1.0}'],
}


def bad_input(world):
    """Everything is journaled, counted by reason and kept where a person can look; nobody else is disturbed."""
    report, push = world.report, world.push()
    stamp = world.service()["updated_at"]
    world.wait(lambda: world.service()["updated_at"] != stamp, 5, "a fresh report")
    before = world.service().get("rejected", {})
    for frames in BAD.values():
        for frame in frames:
            push.send(frame)
    push.send_multipart([b"a", b"b"])
    push.send_multipart([b"", json.dumps(own(60, "order_opened")).encode()])
    names = "%n\r\n*?[a]<b>\u00e9|"
    push.send(json.dumps(own(61, "order_opened", symbol="X%n*?[a]<b>", comment=names)).encode())
    expected = {reason: len(frames) for reason, frames in BAD.items()} | {"frame_count": 1}

    def counted():
        now = world.service().get("rejected", {})
        return {reason: now.get(reason, 0) - before.get(reason, 0) for reason in expected} == expected
    try:
        world.wait(counted, 5, "all are counted")
    except TimeoutError:
        pass
    now = world.service().get("rejected", {})
    report.equal("each is counted by its reason",
                 {reason: now.get(reason, 0) - before.get(reason, 0) for reason in expected}, expected)
    kept = world.redis("XLEN", "quarantine:confirmation-logger")
    report.check("and kept with its reason", kept >= sum(expected.values()), kept)
    world.wait(lambda: world.redis("EXISTS", "trade:outside_user_1|1|61|opened"), 5, "the odd symbol is booked")
    report.check("an empty frame ahead does no harm", world.redis("EXISTS", "trade:outside_user_1|1|60|opened"))
    scopes = world.redis("SMEMBERS", "stats_scopes") or []
    report.check("a symbol of wildcards is a scope like another", "symbol:X%25n*?[a]<b>" in scopes, scopes)

    # 1 MB costs its sender the connection, and nobody else anything.
    big = world.push()
    big.send(b"x" * 1_000_000)
    endpoint = ("127.0.0.1", world.mesh.ports["ea-confirmations"])
    raw = tcp.create_connection(endpoint)
    raw.sendall(b"GET / HTTP/1.0\r\n\r\n" + os.urandom(200))
    # A greeting of ZMTP 3.0 with a security mechanism nobody has: libzmq turns it away and says so.
    odd = tcp.create_connection(endpoint)
    odd.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NONSENSE".ljust(20, b"\0") + bytes(32))
    stranger = world.context.socket(zmq.SUB)
    stranger.linger = 0
    stranger.connect(world.mesh.endpoint("ea-confirmations"))
    push.send(json.dumps(own(62, "order_opened")).encode())
    world.wait(lambda: world.redis("EXISTS", "trade:outside_user_1|1|62|opened"), 5, "others are served")
    report.check("a megabyte, a raw TCP client and a SUB disturb nobody", True)
    world.wait(lambda: world.service()["counters"].get("connections_lost", 0) >= 1, 5, "the cut is counted")
    world.wait(lambda: world.service()["counters"].get("handshakes_failed", 0) >= 1, 5, "failed handshakes are counted")
    for one in (raw, odd, big, stranger, push):
        one.close()
