"""Points 5 to 8: a trade is fired, confirmed, followed and closed; its money is known by hand."""

from decimal import Decimal

from expert_advisor import ExpertAdvisor

TRADER = "outside_trader_x"
QUOTES = {"EURUSD.r": ("1.08490", "1.08500"), "USDJPY.r": ("149.990", "150.010"),
          "EURJPY.r": ("162.000", "162.020"), "XAUUSD.r": ("2650.00", "2650.30")}
# What is fired, at which price it opens, the quotes that follow and the profit by hand in USD:
#   EURUSD buy  0.10: (1.08620 - 1.08500) * 100,000 * 0.10                      =  12.00
#   USDJPY sell 0.20: (149.990 - 149.490) * 100,000 * 0.20 / 149.490            =  66.89
#   EURJPY buy  0.10: (162.470 - 162.020) * 100,000 * 0.10 / 149.490            =  30.10
#   XAUUSD buy  0.05: (2655.70 - 2650.30) * 100     * 0.05                      =  27.00
TRADES = [
    ("EURUSD", "BUY", 1.0800, 0.10, "1.08500", ("1.08620", "1.08630"), "12.00"),
    ("USDJPY", "SELL", 151.000, 0.20, "149.99000", ("149.490", "149.490"), "66.89"),
    ("EURJPY", "BUY", 161.000, 0.10, "162.02000", ("162.470", "162.490"), "30.10"),
    ("XAUUSD", "BUY", 2640.00, 0.05, "2650.30000", ("2655.70", "2656.00"), "27.00"),
]


def position(world, user, ticket):
    return next((item for item in world.mesh.items(f"/positions?user={user}&limit=1000")
                 if str(item["ticket"]) == str(ticket)), {})


def trader(world):
    """The terminal most chapters trade with: connected, its user a COMMANDER, its market live."""
    terminal = ExpertAdvisor(world.context, world.mesh, TRADER, 720001, server="Outside-Trade",
                             symbols=tuple(QUOTES), quotes=QUOTES)
    world.terminals.append(terminal)
    terminal.start()
    answer = world.orders(type="set_user", user_uuid=TRADER, tier="COMMANDER")
    world.report.check("a user's tier is set", answer.get("ok") is True, answer)
    answer = world.orders(type="user", user_uuid=TRADER)
    world.report.check("a user's tier is read", "COMMANDER" in str(answer), answer)
    world.wait_for_market(TRADER)
    return terminal


def trades(world, terminal):
    report = world.report
    for number, (symbol, direction, stop, lot, opened, _, _) in enumerate(TRADES):
        fire_id = f"trade-{number}"
        answer = world.fire(fire_id, TRADER, symbol, direction, sl=stop, lot=lot)
        report.check(f"{symbol}: the fire leaves", answer.get("ok") is True and answer.get("state") == "sent", answer)
        report.check(f"{symbol}: the answer tells lot, slots and risk",
                     Decimal(str(answer.get("lot"))) == Decimal(str(lot)) and answer.get("slots_used") == number + 1
                     and answer.get("slots_max") == 15 and isinstance(answer.get("risk"), dict)
                     and "protection_score" in answer, answer)
        world.until(f"{symbol}: the terminal trades it", lambda: len(terminal.positions), lambda n: n == number + 1)
        command(report, terminal, fire_id, symbol)
        ticket = terminal.next_ticket - 1
        item = world.until(f"{symbol}: the position opens", lambda: position(world, TRADER, ticket),
                           lambda item: item.get("state") == "open")
        report.check(f"{symbol}: it is joined with its fire and the broker's name",
                     item.get("fire_id") == fire_id and item.get("symbol") == f"{symbol}.r"
                     and item.get("direction") == direction and Decimal(str(item.get("lot"))) == Decimal(str(lot))
                     and Decimal(str(item.get("open_price"))) == Decimal(opened), item)
        event = world.until(f"{symbol}: TRADE_EVENT goes out once", lambda: world.events(fire_id=fire_id),
                            lambda events: len(events) == 1)
        report.check(f"{symbol}: the event says opened", event and event[0].get("kind") == "opened", event)
    answer = world.orders(type="slots", user_uuid=TRADER)
    report.check("four slots are taken", answer.get("slots_used") == 4 and answer.get("slots_max") == 15, answer)
    keys = world.mesh.redis("SMEMBERS", "all_open_positions")
    key = f"Outside-Trade|720001|{terminal.next_ticket - 1}"
    report.check("Redis names the position by server, account and ticket",
                 key in keys and world.mesh.hash(f"position:{key}").get("open_price") == "2650.30000", keys)
    fire = world.mesh.hash("fire:trade-0")
    report.check("the fire is in the ledger as filled", fire.get("state") == "filled", fire)
    answer = world.orders(type="outcome", fire_id="trade-0")
    report.check("its outcome has a timeline", "filled" in str(answer) and "timeline" in str(answer), answer)
    report.check("/fires/{id} shows it", "filled" in str(world.mesh.page("/fires/trade-0")[1]))


def command(report, terminal, fire_id, symbol):
    """What arrived at the EA's socket."""
    frames = terminal.frames[-1]
    text = frames[-1].decode("latin-1")
    report.check(f"{symbol}: the command is one frame", len(frames) == 1, frames)
    fields = terminal.commands[-1]
    flat = all(not isinstance(value, (dict, list)) for value in fields.values())
    report.check(f"{symbol}: it is compact flat ASCII JSON under 4,096 bytes",
                 flat and text.isascii() and ", " not in text and ": " not in text and len(text) < 4096, text)
    report.check(f"{symbol}: its first keys are type, fire_id, target_uuid",
                 list(fields)[:3] == ["type", "fire_id", "target_uuid"] and fields["type"] == "fire"
                 and fields["fire_id"] == fire_id and fields["target_uuid"] == TRADER, text)
    report.check(f"{symbol}: it has the broker's own name", fields.get("symbol") == f"{symbol}.r", text)


def profits(world, terminal):
    for symbol, _, _, _, _, after, _ in TRADES:
        terminal.quotes[f"{symbol}.r"] = after
    for number, (symbol, _, _, _, _, _, expected) in enumerate(TRADES):
        ticket = 720001 * 1000 + 1 + number
        world.until(f"{symbol}: the profit follows the quotes to {expected}",
                    lambda: position(world, TRADER, ticket).get("current_pnl"),
                    lambda seen: seen is not None and round(Decimal(str(seen)), 2) == Decimal(expected))
    terminal.quotes["EURUSD.r"] = ("1.08400", "1.08410")
    item = world.until("EURUSD: a fall is followed", lambda: position(world, TRADER, 720001001),
                       lambda item: round(Decimal(str(item["current_pnl"])), 2) == Decimal("-10.00"))
    world.report.check("EURUSD: the best and the worst are kept",
                       round(Decimal(str(item.get("max_profit"))), 2) == 12
                       and round(Decimal(str(item.get("max_loss"))), 2) == -10, item)


def close(world, terminal, ticket, step):
    """Closes one position; its balance moves by so much. Returns the closed position."""
    # Where the balance's step proves nothing, the last quote's worth counts: it is written once a second.
    world.look(lambda: position(world, TRADER, ticket).get("current_pnl"), lambda seen: seen is not None, 3)
    terminal.close_step = step
    answer = world.orders(type="close", user_uuid=TRADER, ticket=ticket)
    world.report.check(f"close of {ticket}: the command leaves",
                       answer.get("ok") is True and answer.get("state") == "sent",
                       answer)
    return world.until(f"close of {ticket}: the position closes with its profit",
                       lambda: position(world, TRADER, ticket),
                       lambda item: item.get("state") == "closed" and item.get("profit") is not None)


def closes(world, terminal):
    report, mesh = world.report, world.mesh
    before = mesh.hash("stats:global")
    for number, step in enumerate(("-10.00", "66.89", "30.10", "27.00")):
        ticket = 720001001 + number
        item = close(world, terminal, ticket, Decimal(step))
        report.check(f"close of {ticket}: it earned {step} and says how that is known",
                     Decimal(str(item.get("profit"))) == Decimal(step)
                     and item.get("profit_source") in ("balance_step", "quote"), item)
        report.check(f"close of {ticket}: it has a duration and an end",
                     0 <= float(item.get("duration_s", -1)) < 120 and str(item.get("closed_at")).endswith("Z"), item)
        if number == 0:
            # The network may bring a message twice: nothing may count twice.
            terminal.confirmations.send_string(terminal.sent[-1])
    last = terminal.commands[-1]
    report.check("a close names the ticket", last.get("type") == "close_ticket" and int(last["ticket"]) == 720001004,
                 last)
    world.until("all slots are free", lambda: world.orders(type="slots", user_uuid=TRADER).get("slots_used"),
                lambda used: used == 0)
    closed = [event for event in world.events(user_uuid=TRADER) if event.get("kind") == "closed"]
    report.check("TRADE_EVENT told each close once, the repeated one too", len(closed) == 4, closed)
    statistics(world, before)


def statistics(world, before):
    report = world.report
    world.until("/stats counts four trades once", lambda: world.mesh.items("/stats?account=720001"),
                lambda items: items and items[0]["total_trades"] == 4)
    item = (world.mesh.items("/stats?account=720001") or [{}])[0]
    report.check("wins, losses and win rate are right",
                 (item.get("wins"), item.get("losses"), item.get("win_rate")) == (3, 1, 0.75), item)
    money = {name: abs(Decimal(str(item.get(name)))) for name in (
        "gross_profit", "gross_loss", "net_profit", "largest_win", "largest_loss", "profit_factor")}
    expected = {"gross_profit": "123.99", "gross_loss": "10.00", "net_profit": "113.99", "largest_win": "66.89",
                "largest_loss": "10.00", "profit_factor": "12.399"}
    report.check("the sums are exact", all(money[name] == Decimal(text) for name, text in expected.items()), item)
    items = world.mesh.items("/stats?symbol=XAUUSD")
    report.check("statistics by symbol count the gold trade once", items and items[0]["total_trades"] == 1, items)
    after = world.mesh.hash("stats:global")
    report.check("statistics of all trades grew", bool(after) and after != before, after)


def sources_of_profit(world, terminal):
    """One position alone: the balance's step is what it earned; a balance that did not move yet proves nothing."""
    terminal.quotes["EURUSD.r"] = ("1.08490", "1.08500")
    for fire_id, step, profit, source in (("slipped-1", "11.50", "11.50", "balance_step"),
                                          ("unmoved-1", "0", "12.00", "quote")):
        world.live(0.5)
        answer = world.fire(fire_id, TRADER)
        ticket = terminal.next_ticket
        world.report.check(f"{fire_id}: the fire leaves", answer.get("state") == "sent", answer)
        world.until(f"{fire_id}: the position opens", lambda: position(world, TRADER, ticket).get("state"),
                    lambda state: state == "open")
        terminal.quotes["EURUSD.r"] = ("1.08620", "1.08630")
        world.until(f"{fire_id}: it is worth 12.00", lambda: position(world, TRADER, ticket).get("current_pnl"),
                    lambda seen: Decimal(str(seen)) == 12)
        item = close(world, terminal, ticket, Decimal(step))
        world.report.check(f"{fire_id}: {profit} by {source}", Decimal(str(item.get("profit"))) == Decimal(profit)
                           and item.get("profit_source") == source, item)
        terminal.quotes["EURUSD.r"] = ("1.08490", "1.08500")


def refused_by_the_broker(world, terminal):
    terminal.mode = "fail"
    answer = world.fire("refused-1", TRADER)
    world.report.check("a fire that the broker will refuse leaves", answer.get("state") == "sent", answer)
    world.until("the failed confirmation is in the ledger as rejected",
                lambda: world.mesh.hash("fire:refused-1").get("state"), lambda state: state == "rejected")
    world.until("its slot is free again", lambda: world.orders(type="slots", user_uuid=TRADER).get("slots_used"),
                lambda used: used == 0)
    terminal.mode = "success"


def receipts(world, terminal):
    """The receipts port: answered once it is durable; a repetition changes nothing."""
    report = world.report
    text = terminal.confirmation("fire", "nobody-fired-this", "success", 999000111, "1.08500", "0.10", "orphan")
    message = text[:-1] + ',"seq":1,"request_id":"r-1"}'
    answer = world.ask("ea-receipts", message.encode())
    report.check("a receipt comes back with the request_id",
                 answer.get("ok") is True and answer.get("duplicate") is False and answer.get("request_id") == "r-1"
                 and "seq" in answer, answer)
    again = world.ask("ea-receipts", message.encode())
    report.check("the same message again is a duplicate", again.get("ok") is True and again.get("duplicate") is True,
                 again)
    answer = world.ask("ea-receipts", {"type": "resume", "node_id": terminal.node})
    report.check("resume tells the next sequence number", answer.get("ok") is True and answer.get("next_seq") == 2,
                 answer)
    events = world.until("the unknown fire's confirmation is booked once, as an orphan",
                         lambda: world.events(ticket=999000111), lambda events: len(events) == 1)
    report.check("it says that it is an orphan", bool(events) and events[0].get("orphan") in (1, "1", True), events)
    answer = world.ask("ea-receipts", b"{cut")
    report.check("what can't be read there is answered bad_request",
                 answer.get("error", {}).get("code") == "bad_request", answer)
