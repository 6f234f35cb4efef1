"""Points 2 to 4: a terminal dials in, prices flow, the market is watched."""

import json

import zmq

from expert_advisor import ExpertAdvisor


def dial_in(world):
    mesh, report = world.mesh, world.report
    first = ExpertAdvisor(world.context, mesh, "outside_dialer_x", 710001, tick_count=4172424203)
    world.terminals.append(first)
    first.start()
    node = world.until_within(
        "a terminal that says HELLO and shakes hands is in /nodes",
        lambda: next((n for n in mesh.items("/nodes") if n["node_id"] == first.node), None), bool, 1.0) or {}
    expected = {"user_uuid": first.user, "account": "710001", "server": "Outside-Demo", "broker": "Outside Broker Ltd",
                "currency": "USD", "leverage": "500", "balance": "100000.00", "equity": "100000.00", "version": "2.05",
                "status": "active", "liveness": "live"}
    for name, value in expected.items():
        seen = node.get(name)
        same = float(seen) == float(value) if name in ("balance", "equity") and seen is not None else str(seen) == value
        report.check(f"/nodes shows its {name}", same, f"{seen!r}, expected {value!r}")
    world.until("/nodes shows its last heartbeat",
                lambda: mesh.page(f"/nodes/{first.node}")[1].get("last_heartbeat"))
    detail = mesh.page(f"/nodes/{first.node}")[1]
    report.check("/nodes/{id} shows the chart symbol", detail.get("chart_symbol") == "EURUSD.r", detail)
    report.check("/nodes/{id} shows its symbols", "EURUSD.r" in str(detail.get("symbols")), detail)
    report.check("/nodes/{id} shows first and last seen",
                 str(detail.get("first_seen")).endswith("Z") and str(detail.get("last_seen")).endswith("Z"), detail)
    row = mesh.hash(f"node:{first.node}")
    report.check("Redis keeps the balance as the text that arrived", row.get("balance") == "100000.00", row)
    report.check("Redis knows the terminal as active",
                 row.get("status") == "active" and mesh.redis("SISMEMBER", "active_nodes", first.node) == 1, row)
    report.check("a node that isn't there is 404", mesh.page("/nodes/NODE_0_0")[0] == 404)
    registry_look_ups(world, first, row)
    replacement(world, first)


def registry_look_ups(world, terminal, row):
    for name, value in (("node_id", terminal.node), ("user_uuid", terminal.user),
                        ("account", str(terminal.account)), ("session_id", row.get("session_id"))):
        answer = world.ask("registry", {"type": "node", name: value, "request_id": name})
        world.report.check(f"the registry finds it by {name}",
                           answer.get("ok") is True and terminal.node in json.dumps(answer)
                           and answer.get("request_id") == name, answer)
    answer = world.ask("registry", {"type": "nodes", "status": "active", "limit": 10})
    world.report.check("the registry lists the active nodes", terminal.node in json.dumps(answer), answer)
    answer = world.ask("registry", {"type": "stats"})
    world.report.check("the registry has statistics", answer.get("ok") is True, answer)


def replacement(world, first):
    mesh, report = world.mesh, world.report
    world.terminals.remove(first)
    first.close()
    second = ExpertAdvisor(world.context, mesh, first.user, first.account, tick_count=12345)
    world.terminals.append(second)
    second.start()
    world.until("the same user on a new node_id is active",
                lambda: mesh.hash(f"node:{second.node}").get("status"), lambda status: status == "active")
    row = mesh.hash(f"node:{first.node}")
    report.check("the old node is replaced and names the new one",
                 row.get("status") == "replaced" and row.get("replaced_by") == second.node, row)
    report.check("the old node is not active", mesh.redis("SISMEMBER", "active_nodes", first.node) == 0)
    second.telemetry.send_string(second.disconnect_text())
    row = world.until("a DISCONNECT ends the node",
                      lambda: mesh.hash(f"node:{second.node}"), lambda row: row.get("status") == "disconnected")
    report.check("the reason of its end is kept", bool(row.get("disconnect_reason")), row)
    report.check("a node that left is not active", mesh.redis("SISMEMBER", "active_nodes", second.node) == 0)
    report.check("its connections are counted", row.get("connections") == "1", row)
    report.check("its uptime is seconds, not days", 0 <= float(row.get("uptime_s", -1)) < 60, row)
    answer = world.ask("registry", {"type": "history", "limit": 20})
    words = json.dumps(answer)
    report.check("the history tells registered, replaced and disconnected",
                 all(word in words for word in ("registered", "replaced", "disconnected")), answer)
    world.until("the broker's statistics are kept", lambda: mesh.hash("broker:Outside-Demo"),
                lambda row: int(row.get("handshakes", 0)) == 2 and int(row.get("disconnects", 0)) == 1)
    world.terminals.remove(second)
    second.close()


def prices(world):
    mesh, report = world.mesh, world.report
    terminal = ExpertAdvisor(world.context, mesh, "outside_prices_x", 710002, server="Outside-Prices",
                             symbols=("EURUSD.r", "XAUUSD.r"))
    terminal.start()
    sent = []
    for number in range(300):
        bid = f"1.08{number:03d}"
        sent.append(terminal.tick("EURUSD.r", bid, f"1.09{number:03d}").encode())
        if number % 100 == 0:
            sent.append(terminal.bar("EURUSD.r").encode())
    for text in sent:
        terminal.telemetry.send(text)
    mark = terminal.node.encode()

    def relayed():
        return [frames for frames in world.heard["market-relay"] if mark in frames[0]]

    world.until("every tick and bar leaves on the relay", lambda: len(relayed()), lambda count: count == len(sent))
    report.check("the relay passes the EA's own bytes on, in order", [frames[0] for frames in relayed()] == sent)
    report.check("each is one frame", all(len(frames) == 1 for frames in relayed()))
    stale_prices(world, terminal)
    terminal.close()


def stale_prices(world, neighbour):
    """A backlog is relayed and never taken for the present, whether the broker's clock is known or not."""
    for server, user in (("Outside-Prices", "outside_backlog_x"), ("Outside-Unknown", "outside_stale__x")):
        terminal = ExpertAdvisor(world.context, world.mesh, user, 710003 if "backlog" in user else 710004,
                                 server=server)
        terminal.dealer.send_string(terminal.hello(ago=9420))
        terminal.telemetry.send_string(terminal.handshake(ago=9420))
        for number in range(1000):
            terminal.telemetry.send_string(terminal.tick("EURUSD.r", "1.08490", "1.08500", ago=9420 - number))
        mark = terminal.node.encode()
        world.until(f"1,000 ticks of a backlog are relayed ({server})",
                    lambda: sum(mark in frames[0] for frames in world.heard["market-relay"]),
                    lambda count: count == 1000)
        neighbour.telemetry.send_string(neighbour.tick("EURUSD.r", "1.08490", "1.08500"))
        # Until its handshake has gone through the registry the terminal's symbols are not known; sent is never right.
        answers = []
        world.until(f"a fire on hours-old ticks is denied market_quiet ({server})",
                    lambda: answers.append(world.fire(f"stale-{terminal.account}-{len(answers)}", user)) or answers[-1],
                    lambda answer: answer.get("reason") == "market_quiet")
        world.report.check(f"and never sent ({server})", all(a.get("state") == "denied" for a in answers), answers)
        terminal.close()


def watched_market(world):
    report = world.report
    answer = world.ask("citadel-queries", {
        "symbol": "EURUSD", "entry_price": 1.0850, "direction": "BUY", "stop_loss": 1.08, "take_profit": 1.095,
        "request_id": 7})
    score = answer.get("protection_score", 0)
    report.check("a protection query is scored 1 to 10", 1 <= score <= 10 and answer.get("symbol") == "EURUSD", answer)
    total = sum(factor.get("contribution", 0) for factor in answer.get("factors", {}).values())
    report.check("the factors' contributions add up to the score", abs(total - score) < 0.051, (total, answer))
    levels = {"FORTRESS": 8, "PROTECTED": 6, "CAUTION": 4, "HIGH_RISK": 2, "DANGER": 0}
    floor = levels.get(answer.get("risk_level"), 99)
    report.check("the risk level fits the score", floor <= score < floor + 2.01 or (floor == 8 and score >= 8), answer)
    report.check("it gives reasons, confidence and whether it is stale",
                 isinstance(answer.get("insights"), list) and 0 <= answer.get("confidence", -1) <= 1
                 and isinstance(answer.get("stale"), bool) and bool(answer.get("recommendation")), answer)
    report.check("request_id comes back", answer.get("request_id") == 7, answer)
    for title, request in (("not JSON", b"score please"), ("no symbol", {"entry_price": 1}),
                           ("no number", {"symbol": "EURUSD", "entry_price": "dear"})):
        answer = world.ask("citadel-queries", request)
        report.check(f"a bad query keeps the old clients' form ({title})",
                     answer.get("ok") is False and answer.get("protection_score") == 1.0
                     and answer.get("risk_level") == "ERROR" and bool(answer.get("error", {}).get("code")), answer)
    correlated = world.context.socket(zmq.REQ)
    correlated.linger = 0
    correlated.setsockopt(zmq.REQ_CORRELATE, 1)
    correlated.connect(world.mesh.endpoint("citadel-queries"))
    correlated.send_json({"symbol": "EURUSD", "entry_price": 1.0850})
    seen, _ = world.look(lambda: correlated.poll(1) and correlated.recv(), bool, 3)
    report.check("a REQ socket that numbers its requests is served", b'"ok":true' in (seen or b""), seen)
    correlated.close()
    dealer = world.context.socket(zmq.DEALER)
    dealer.linger = 0
    dealer.connect(world.mesh.endpoint("citadel-queries"))
    dealer.send_json({"symbol": "XAUUSD", "entry_price": 2650})
    seen, _ = world.look(lambda: dealer.poll(1) and dealer.recv_multipart(), bool, 3)
    report.check("a DEALER is served without a delimiter", bool(seen) and len(seen) == 1, seen)
    dealer.close()
