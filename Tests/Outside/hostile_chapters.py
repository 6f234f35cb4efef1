"""The list of bad inputs: each counted by reason, kept where it may matter, and everybody else unaffected."""

import json
import random
import socket

import zmq

from expert_advisor import ExpertAdvisor
from trade_chapters import TRADER

TICK = ('{{"type":"TICK","node_id":"NODE_1_1","user_uuid":"outside_hostile_x","symbol":{symbol},"bid":{bid},'
        '"ask":{ask},"spread":1.0,"volume":0,"timestamp":"2026.01.05 10:00:00"}}')
GOOD = {"symbol": '"EURUSD"', "bid": "1.08490", "ask": "1.08500"}


def tick(**change):
    return TICK.format(**{**GOOD, **change}).encode()


def deep(depth):
    return b'{"a":' * depth + b"1" + b"}" * depth


# What nobody can make sense of: refused, counted by reason and kept in quarantine.
UNREADABLE = [
    ("not JSON", b"this is not JSON"), ("cut JSON", tick()[:60]), ("deep nesting", deep(5000)),
    ("NaN for a price", tick(bid="nan")), ("-nan(ind) for a price", tick(ask="-nan(ind)")),
    ("1e999 for a price", tick(bid="1e999")), ("text for a price", tick(bid='"cheap"')),
    ("a list for a symbol", tick(symbol="[1]")), ("an empty frame", b""), ("only NUL bytes", b"\0\0\0\0"),
    ("an unknown type", b'{"type":"TELEPORT","node_id":"NODE_1_1"}'), ("no type at all", b'{"node_id":"NODE_1_1"}'),
    ("a tick without fields", b'{"type":"TICK"}'), ("a list", b"[1,2,3]"), ("a bare number", b"17"),
    ("invalid UTF-8", b"\xff\xfe\xfa\x80" * 20),
]
# What may be understood or not, but must do no harm.
ODD = [
    tick(symbol='"%n%n%s%x"'), tick(symbol='"*"'), tick(symbol='"?[a-z]*"'), tick(symbol='"EUR\nUSD"'),
    tick(symbol='"EUR\\r\\nFLUSHALL\\r\\n"'), tick(symbol="7"), tick(bid='"1.08490"'),
    tick(symbol='"' + "X" * 4000 + '"'),
    tick(bid="-1"), tick(bid="0"), tick(bid="99999999999999999999999999"),
    tick(symbol='"\xe9\xff"').replace(b"\xc3", b""),
    b"\xef\xbb\xbf" + tick(), tick() + b"\0", b"TICK " + tick(), b"TICK EURUSD 1.08490 1.08500",
]


def bad_frames(world):
    mesh, report = world.mesh, world.report
    pids = {name: mesh.service(name).get("pid") for name in mesh.SERVICES}
    for port, kind in (("ea-telemetry", zmq.PUSH), ("ea-confirmations", zmq.PUSH), ("ea-commands", zmq.DEALER)):
        service = mesh.owners[port]
        before = sum(mesh.service(service).get("rejected", {}).values())
        hostile = world.context.socket(kind)
        hostile.linger = 0
        hostile.connect(mesh.endpoint(port))
        count = 0
        for title, frame in UNREADABLE:
            length = mesh.redis("XLEN", f"quarantine:{service}")
            hostile.send(frame)
            grown, elapsed = world.look(lambda: mesh.redis("XLEN", f"quarantine:{service}"), lambda n: n > length, 3)
            reason = str(mesh.redis("XREVRANGE", f"quarantine:{service}", "+", "-", "COUNT", "1"))[:160]
            report.check(f"{port}: {title} is in quarantine with its reason", elapsed is not None, (grown, reason))
            count += 1
        length = mesh.redis("XLEN", f"quarantine:{service}")
        hostile.send_multipart([b"{}"] * 40)
        world.until(f"{port}: 40 frames are one refusal", lambda: mesh.redis("XLEN", f"quarantine:{service}"),
                    lambda n: n == length + 1)
        for frame in ODD:
            hostile.send(frame)
        # Above MAXMSGSIZE libzmq cuts the connection; the sender reconnects and may go on.
        hostile.send(b"x" * 1024 * 1024)
        world.until(f"{port}: all are counted in /services",
                    lambda: sum(mesh.service(service).get("rejected", {}).values()) - before, lambda n: n >= count + 1)
        hostile.close()
    bystanders(world, pids, "after bad frames")


def bystanders(world, pids, when):
    """Nobody died of it and a good tick still goes through."""
    mesh, report = world.mesh, world.report
    after = {name: mesh.service(name).get("pid") for name in mesh.SERVICES}
    report.equal(f"{when}: all seven are the processes they were", after, pids)
    terminal = next(t for t in world.terminals if t.user == TRADER)
    text = terminal.tick("EURUSD.r", "1.08491", "1.08501").encode()
    terminal.telemetry.send(text)
    world.until(f"{when}: another terminal's tick is relayed",
                lambda: any(frames[0] == text for frames in world.heard["market-relay"]))
    world.until(f"{when}: and may be fired at", lambda: world.probe(TRADER), lambda reason: reason == "no_stop")
    report.check(f"{when}: Redis still has its data", mesh.redis("EXISTS", f"user:{TRADER}") == 1)


def bad_requests(world):
    report = world.report
    for port in ("ea-receipts", "registry", "orders", "signal-intake", "citadel-queries"):
        for title, request in (("not JSON", b"hello"), ("a list", b"[]"), ("deep nesting", deep(5000)), ("empty", b""),
                               ("cut", b'{"type":"no'), ("an unknown type", b'{"type":"%n*","request_id":1}'),
                               ("invalid UTF-8", b'{"type":"\xff\xfe"}'),
                               ("numbers for names", b'{"type":7,"user_uuid":8}')):
            answer = world.ask(port, request)
            report.check(f"{port}: {title} is answered with a code and what to do",
                         answer.get("ok") is False and bool(answer.get("error", {}).get("code"))
                         and bool(answer["error"].get("message")), answer)
        dealer = world.context.socket(zmq.DEALER)
        dealer.linger = 0
        dealer.connect(world.mesh.endpoint(port))
        dealer.send_multipart([b"", b"{}", b"{}", b"{}"])
        seen, _ = world.look(lambda: dealer.poll(1) and dealer.recv_multipart(), bool, 3)
        report.check(f"{port}: many frames are answered bad_request", bool(seen) and b"bad_request" in seen[-1], seen)
        dealer.send(b"x" * 1024 * 1024)
        dealer.close()


def strangers(world):
    """Clients that are no terminals: raw TCP and the wrong socket types."""
    mesh = world.mesh
    pids = {name: mesh.service(name).get("pid") for name in mesh.SERVICES}
    generator = random.Random(20261121)
    print("strangers: seed 20261121", flush=True)
    raw = []
    for port in ("ea-commands", "ea-telemetry", "ea-confirmations", "ea-receipts", "orders", "market-relay"):
        for data in (b"GET / HTTP/1.1\r\nHost: mesh\r\n\r\n", generator.randbytes(5000),
                     b"\xff" + b"\0" * 8 + b"\x01\x7f", b""):
            connection = socket.create_connection(("127.0.0.1", mesh.ports[port]), timeout=2)
            connection.sendall(data)
            raw.append(connection)
    wrong = []
    for port, kind in (("ea-commands", zmq.PULL), ("ea-commands", zmq.SUB), ("ea-telemetry", zmq.SUB),
                       ("ea-telemetry", zmq.DEALER), ("ea-confirmations", zmq.REQ), ("ea-confirmations", zmq.PULL),
                       ("orders", zmq.PUSH), ("market-relay", zmq.PULL)):
        client = world.context.socket(kind)
        client.linger = 0
        if kind == zmq.SUB:
            client.subscribe(b"")
        client.connect(mesh.endpoint(port))
        wrong.append(client)
    world.live(1)
    bystanders(world, pids, "with strangers at the ports")
    for connection in raw:
        connection.close()
    for client in wrong:
        client.close()


def foreign_names(world):
    """A broker's name is any text, in any code page."""
    mesh, report = world.mesh, world.report
    names = {"outside_html___x": b"<script>alert(1)</script>",
             "outside_cp1252_x": "Société Générale".encode("cp1252"),
             "outside_cp932__x": "日本証券表".encode("cp932"), "outside_quote__x": b'Broker "Best" Ltd'}
    terminals = []
    for number, (user, name) in enumerate(names.items()):
        terminal = ExpertAdvisor(world.context, mesh, user, 750001 + number, server="Outside-Foreign", company="@")
        # Nothing is escaped by the EA: the bytes stand in the text as they are.
        terminal.telemetry.send(terminal.handshake().encode().replace(b'"@"', b'"' + name + b'"'))
        terminals.append(terminal)
        world.until(f"{user}: the terminal is known in spite of its broker's name",
                    lambda t=terminal: mesh.hash(f"node:{t.node}").get("status"), lambda status: status == "active")
    world.until("/nodes is valid JSON with those names", lambda: mesh.http("/nodes?limit=1000"),
                lambda page: page[0] == 200 and page[1].get("Content-Type", "").startswith("application/json")
                and "<script>" in str(json.loads(page[2])) and "Société" in str(json.loads(page[2])))
    status, headers, text = mesh.http("/dashboard")
    report.check("the dashboard is HTML without the broker's script in it",
                 status == 200 and "html" in headers.get("Content-Type", "") and "alert(1)" not in text, status)
    for terminal in terminals:
        terminal.telemetry.send_string(terminal.disconnect_text())
        terminal.close()
