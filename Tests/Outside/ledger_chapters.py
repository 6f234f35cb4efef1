"""What became of a command: waiting behind another, unanswered, in doubt, told in another EA's words."""

import time
from decimal import Decimal

from expert_advisor import ExpertAdvisor
from trade_chapters import TRADER, close, position


def fire_state(world, fire_id):
    return world.mesh.hash(f"fire:{fire_id}").get("state")


def queue(world, terminal):
    """One fire outstanding per terminal; the next waits for its answer, a close passes it."""
    report = world.report
    terminal.mode = "hold"
    first, second = world.fire("queue-1", TRADER), world.fire("queue-2", TRADER)
    report.check("a second fire waits behind the first",
                 (first.get("state"), second.get("state")) == ("sent", "queued"), (first, second))
    world.until("the first arrives", lambda: terminal.commands[-1].get("fire_id"), lambda i: i == "queue-1")
    world.live(0.9)
    report.equal("the second does not", [c for c in terminal.commands if c.get("fire_id") == "queue-2"], [])
    terminal.mode = "success"
    terminal.execute(terminal.commands[-1])
    for fire_id in ("queue-1", "queue-2"):
        world.until(f"{fire_id} is filled", lambda f=fire_id: fire_state(world, f), lambda state: state == "filled")
        ticket = next(t for t, p in terminal.tickets.items() if p == fire_id)
        world.until(f"{fire_id}: its position is open", lambda t=ticket: position(world, TRADER, t).get("state"),
                    lambda state: state == "open")
        close(world, terminal, ticket, Decimal("-1.00"))


def unanswered(world, terminal):
    """Nobody knows: the ledger says so, keeps the slot, and believes a late answer."""
    report = world.report
    terminal.mode = "hold"
    soon = int(time.time() * 1000) + 1500
    answer = world.fire("silent-1", TRADER, expires_at_ms=soon)
    report.check("a fire with a deadline leaves", answer.get("state") == "sent", answer)
    world.until("it arrives", lambda: terminal.commands[-1].get("fire_id"), lambda i: i == "silent-1")
    world.until("without an answer its outcome is unknown", lambda: fire_state(world, "silent-1"),
                lambda state: state == "unknown")
    report.check("an unknown outcome keeps its slot",
                 world.orders(type="slots", user_uuid=TRADER).get("slots_used") == 1)
    health = world.mesh.page("/health")[1].get("ledger", {})
    report.check("/health shows it as not accounted for or unknown",
                 "unknown" in str(health) or health.get("unaccounted"),
                 health)
    terminal.mode = "success"
    terminal.execute(terminal.commands[-1])
    world.until("the late answer settles it", lambda: fire_state(world, "silent-1"), lambda state: state == "filled")
    ticket = terminal.next_ticket - 1
    world.until("its position is open", lambda: position(world, TRADER, ticket).get("state"),
                lambda state: state == "open")
    terminal.confirm(f'{{"type":"position_closed","uuid":"{TRADER}","ticket":{ticket},"fire_id":"silent-1",'
                     f'"symbol":"EURUSD.r","direction":"BUY","close_price":1.09000,"reason":"TP_HIT","profit":50.25,'
                     f'"node_id":"{terminal.node}","account":{terminal.account}}}')
    item = world.until("position_closed closes it", lambda: position(world, TRADER, ticket),
                       lambda item: item.get("state") == "closed")
    report.check("with the profit of the message and its reason",
                 float(item.get("profit") or 0) == 50.25 and item.get("profit_source") == "message"
                 and item.get("close_reason") == "TP_HIT", item)
    terminal.positions.pop(ticket)
    world.until("its slot is free", lambda: world.orders(type="slots", user_uuid=TRADER).get("slots_used"),
                lambda used: used == 0)


def twins(world):
    """Two users whose UUIDs differ in the last character only share one identity: no order may go to the wrong one."""
    pair = []
    for number in range(2):
        pair.append(ExpertAdvisor(world.context, world.mesh, f"outside_twin_____{number}", 770001 + number,
                                  server="Outside-Trade"))
        pair[number].start()
        world.terminals.append(pair[number])
        if number == 0:
            world.wait_for_market(pair[0].user)
    world.until("a shared identity is noticed", lambda: world.probe(pair[0].user),
                lambda reason: reason == "identity_conflict")
    answers = [world.fire(f"twin-{n}", terminal.user) for n, terminal in enumerate(pair)]
    world.report.check("neither twin is fired at", all(answer.get("state") == "denied" for answer in answers), answers)
    world.live(1)
    world.report.equal("no command reached either of them", [t.commands for t in pair], [[], []])
    for terminal in pair:
        terminal.telemetry.send_string(terminal.disconnect_text())
        world.terminals.remove(terminal)
        terminal.close()


def ping(world, terminal):
    answer = world.orders(type="ping", user_uuid=TRADER)
    world.report.check("a ping leaves", answer.get("ok") is True, answer)
    world.until("the terminal answers it with a pong", lambda: any('"type":"pong"' in text for text in terminal.sent))
    before = world.mesh.service("confirmation-logger").get("rejected")
    world.live(1.2)
    world.report.equal("which nobody refuses", world.mesh.service("confirmation-logger").get("rejected"), before)


def dialects(world):
    """Lines of EAs that can't be changed: what they say is booked."""
    node, user, account = "NODE_780001_77", "outside_old_ea__x", 780001
    who = f'"node_id":"{node}","user_uuid":"{user}"'
    figures = f'"account":{account},"balance":850.47,"equity":847.26,"free_margin":828.61,"margin_level":0.00'
    when = '"timestamp":"2026.01.05 10:00:00"'
    lines = {
        780101: f'{{"type":"confirmation","command_type":"fire",{who},"status":"success","ticket":780101,'
                f'"price":1.16631,"lot":0.01,"message":"Trade executed successfully",{figures},{when}}}',
        780102: f'{{"type":"confirmation",{who},"symbol":"USDJPY","status":"success","ticket":780102,"price":147.366,'
                f'"lot":0.01,"message":"Trade executed successfully",{figures},{when}}}',
        780103: f'{{"ticket":780103,"symbol":"EURUSD","result":"order_opened","type":"buy","volume":0.02,'
                f'"open_price":1.08500,"account":{account},{who},"fire_id":"own-form"}}',
    }
    socket = world.terminals[0].confirmations
    for ticket, line in lines.items():
        socket.send_string(line)
        world.until(f"an older EA's confirmation is booked ({ticket})", lambda t=ticket: world.events(ticket=t),
                    lambda events: [event.get("kind") for event in events] == ["opened"])
    socket.send_string(
        f'{{"ticket":780103,"symbol":"EURUSD","result":"order_closed","type":"buy","volume":0.02,"open_price":1.08500,'
        f'"close_price":1.08700,"profit":"4.00","swap":-0.10,"commission":-0.20,"account":{account},{who}}}')
    events = world.until("the own form's close is booked with its profit", lambda: world.events(ticket=780103),
                         lambda events: len(events) == 2)
    world.report.check("its profit is the message's", float(events[-1].get("profit", 0)) == 4.0
                       and events[-1].get("profit_source") == "message", events)
    socket.send_string(lines[780101].replace("success", "failed").replace("780101", "0"))
    world.live(0.3)
    node7 = ('{"type":"status","status":"startup","message":"EA v7.01 initialized with tick streaming",'
             '"ea_version":"7.01","account":780007,"server":"Outside-Seven","timestamp":"2026.01.05 10:00:00"}')
    seven = world.terminals[0].telemetry
    before = len(world.events())
    seven.send_string(node7)
    seven.send_string('{"type":"trade_result","signal_id":"SIG_OUTSIDE","status":"success","ticket":780701,'
                      '"price":1.16631,"message":"","balance":850.47,"equity":847.26,"margin":21.86,'
                      '"timestamp":"2026.01.05 10:00:00"}')
    world.until("a 7.01 result that comes with the telemetry is booked", lambda: len(world.events()),
                lambda count: count > before)
