"""Fires that must not happen, fires for many, signals and the brake."""

import time
from decimal import Decimal

from expert_advisor import ExpertAdvisor
from trade_chapters import TRADER, close


def denials(world, terminal):
    report = world.report
    commands = len(terminal.commands)
    past = int(time.time() * 1000) - 1000
    cases = [
        ("unknown_symbol", {"symbol": "ABCXYZ"}), ("no_stop", {"sl": None}), ("stop_wrong_side", {"sl": 1.2}),
        ("stop_wrong_side", {"direction": "SELL", "sl": 1.0}), ("stop_wrong_side", {"tp": 1.0}),
        ("risk_exceeded", {"lot": 60}), ("expired", {"expires_at_ms": past}),
        ("signal_expired", {"symbol": None, "direction": None, "sl": None, "signal_id": "NO_SUCH_SIGNAL"}),
    ]
    for number, (reason, change) in enumerate(cases):
        answer = world.fire(f"denied-{number}", TRADER, **change)
        report.check(f"{reason} is an answer, not an error ({change})",
                     answer.get("ok") is True and answer.get("state") == "denied" and answer.get("reason") == reason,
                     answer)
    world.orders(type="set_user", user_uuid="outside_absent_x", tier="SERGEANT")
    answer = world.fire("denied-offline", "outside_absent_x")
    report.check("node_offline: a user without a terminal", answer.get("reason") == "node_offline", answer)
    answer = world.fire("denied-unknown", "outside_never_seen_x")
    report.check("user_unknown: a user nobody has seen", answer.get("reason") in ("user_unknown", "node_offline"),
                 answer)
    for title, change in (("a fire_id with a blank", {"fire_id": "a b"}), ("a fire_id of 32", {"fire_id": "f" * 32}),
                          ("no user", {"user_uuid": None}), ("a lot that is text", {"lot": "much"}),
                          ("a direction of its own", {"direction": "UP"}), ("an unknown type", {"type": "fly"})):
        request = {"type": "fire", "fire_id": "bad-1", "user_uuid": TRADER, "symbol": "EURUSD", "direction": "BUY",
                   "sl": 1.08, "lot": 0.1, **change}
        answer = world.orders(**{name: value for name, value in request.items() if value is not None})
        report.check(f"{title} is an error that says what to do",
                     answer.get("ok") is False and bool(answer.get("error", {}).get("message")), answer)
    world.live(0.8)
    report.equal("nothing of this reached the terminal", len(terminal.commands), commands)


def twice(world, terminal):
    report = world.report
    commands = len(terminal.commands)
    first = world.fire("twice-1", TRADER)
    second = world.fire("twice-1", TRADER)
    report.check("the same fire_id again is duplicate_fire",
                 first.get("state") == "sent" and second.get("reason") == "duplicate_fire", (first, second))
    world.until("it opens one position", lambda: len(terminal.positions), lambda count: count == 1)
    third = world.fire("twice-1", TRADER)
    report.check("and stays so after it is filled", third.get("reason") == "duplicate_fire", third)
    world.live(0.8)
    report.equal("the terminal got it once", len(terminal.commands), commands + 1)
    close(world, terminal, terminal.next_ticket - 1, Decimal("-1.00"))


def one_slot(world):
    """A RECRUIT has one slot; a quiet chart means that nothing may leave."""
    report, mesh = world.report, world.mesh
    recruit = ExpertAdvisor(world.context, mesh, "outside_recruit_x", 730001, server="Outside-Trade")
    world.terminals.append(recruit)
    recruit.start()
    world.wait_for_market(recruit.user)
    answer = world.fire("recruit-1", recruit.user)
    report.check("a recruit's first fire leaves", answer.get("state") == "sent" and answer.get("slots_max") == 1,
                 answer)
    world.until("it is filled", lambda: mesh.hash("fire:recruit-1").get("state"), lambda state: state == "filled")
    answer = world.fire("recruit-2", recruit.user)
    report.check("no_slot: his second is denied", answer.get("reason") == "no_slot", answer)
    world.orders(type="close_all", user_uuid=recruit.user)
    # 2.05 answers close_all with the sum of all lots and no ticket.
    world.until("after close_all his slot is free",
                lambda: world.orders(type="slots", user_uuid=recruit.user).get("slots_used"), lambda used: used == 0)
    recruit.running = False
    world.live(5.6)
    answer = world.fire("recruit-3", recruit.user)
    report.check("market_quiet: his chart has not ticked for 5 s", answer.get("reason") == "market_quiet", answer)
    recruit.running = True
    recruit.quote_chart()
    world.live(0.3)
    report.equal("and nothing waits for him at the next tick", [c["type"] for c in recruit.commands],
                 ["fire", "close_all"])
    return recruit


def many(world, recruit):
    report = world.report
    crew = [ExpertAdvisor(world.context, world.mesh, f"outside_crew_{n}_x", 740000 + n, server="Outside-Trade")
            for n in range(3)]
    for terminal in crew:
        world.terminals.append(terminal)
        terminal.start()
    for terminal in crew + [recruit]:
        world.wait_for_market(terminal.user)
    users = [terminal.user for terminal in crew] + ["outside_absent_x"]
    answer = world.fire("many-1", users)
    report.check("one request fires for many, with counts by state and reason",
                 (answer.get("sent"), answer.get("denied")) == (3, 1) and "node_offline" in str(answer), answer)
    for number, terminal in enumerate(crew):
        world.until(f"{terminal.user} gets his own", lambda t=terminal: t.commands, bool)
        identity = terminal.commands[-1].get("fire_id", "") if terminal.commands else ""
        report.check(f"{terminal.user}: the id is the batch's with a number, and returned",
                     identity.startswith("many-1.") and f"'{identity}'" in str(answer), (identity, answer))
    report.equal("others get nothing", [c for c in recruit.commands if "many-1" in str(c)], [])
    for terminal in crew:
        world.until(f"{terminal.user}: filled", lambda t=terminal: world.mesh.hash(
            f"fire:{t.commands[-1]['fire_id']}").get("state"), lambda state: state == "filled")
        terminal.telemetry.send_string(terminal.disconnect_text())
        world.terminals.remove(terminal)
        terminal.close()


def signals(world, terminal):
    report = world.report
    bid, ask = terminal.quotes["EURUSD.r"]
    now = time.time()
    signal = {"signal_id": f"OUTSIDE_EURUSD_{int(now)}", "symbol": "EURUSD", "direction": "BUY", "pattern": "SWEEP",
              "confidence": 81.5, "entry_price": float(ask), "stop_loss": 1.0800, "take_profit": 1.0930,
              "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now)), "session": "LONDON",
              "expires_at": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now + 600))}
    answer = world.ask("signal-intake", signal)
    report.check("a signal comes back scored",
                 answer.get("ok") is True and answer.get("signal_id") == signal["signal_id"]
                 and 1 <= answer.get("protection_score", 0) <= 10 and bool(answer.get("factors")), answer)
    published = world.until(
        "it is published on the signals port with everything the engine gave",
        lambda: [s for s in world.published("signals",
                                            "ELITE_GUARD_SIGNAL") if s["signal_id"] == signal["signal_id"]], bool)
    report.check("with its score and what was passed through",
                 published and published[0].get("session") == "LONDON" and "protection_score" in published[0]
                 and "citadel" in published[0], published)
    world.until("/signals shows it", lambda: signal["signal_id"] in str(world.mesh.items("/signals")))
    answer = world.orders(type="fire", fire_id="signal-1", user_uuid=TRADER, signal_id=signal["signal_id"], lot=0.05)
    report.check("signal_id alone fires it", answer.get("state") == "sent", answer)
    world.until("the terminal trades the signal",
                lambda: [c for c in terminal.commands if c.get("fire_id") == "signal-1"], bool)
    command = next((c for c in terminal.commands if c.get("fire_id") == "signal-1"), {})
    report.check("with the signal's symbol, direction, stop and target",
                 (command.get("symbol"), command.get("direction"), float(command.get("sl", 0)),
                  float(command.get("tp", 0)))
                 == ("EURUSD.r", "BUY", 1.08, 1.093), command)
    answer = world.ask("signal-intake", {"symbol": "EURUSD"})
    report.check("a signal without a direction is refused",
                 answer.get("ok") is False and bool(answer.get("error", {}).get("code")), answer)


def brake(world):
    report, mesh = world.report, world.mesh
    answer = world.orders(type="brake", state="HALTED", scope="all", reason="outside story")
    report.check("the brake is set", answer.get("ok") is True, answer)
    answer = world.fire("halted-1", TRADER)
    report.check("halted: fires are denied", answer.get("reason") == "halted", answer)
    world.orders(type="brake", state="REDUCING", scope="all", reason="outside story")
    answer = world.fire("halted-2", TRADER)
    report.check("reducing_only: new positions are denied", answer.get("reason") == "reducing_only", answer)
    body = b'{"state":"ACTIVE","scope":"all","reason":"over"}'
    status, _, text = mesh.http("/brake", data=body, headers={"Content-Type": "application/json"})
    report.check("the brake over HTTP needs a token", status == 401 and '"error"' in text, (status, text))
    try:
        with open(f"{mesh.directory}/var/token", encoding="utf-8") as file:
            token = file.read().strip()
    except OSError as error:
        token = str(error)
    status, _, text = mesh.http("/brake", data=body, headers={"Content-Type": "application/json",
                                                            "Authorization": f"Bearer {token}"})
    report.check("with the token it is released", status == 200, (status, text))
    answer = world.fire("halted-3", TRADER, sl=None)
    report.check("and fires are judged as before", answer.get("reason") == "no_stop", answer)
