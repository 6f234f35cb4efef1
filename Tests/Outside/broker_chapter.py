"""Two brokers quote one symbol through the whole mesh, and one of them prints a price that nobody else has."""

import json
import time

from expert_advisor import ExpertAdvisor

SYMBOL = "GBPCHF"
USUAL = 1.12000
AWAY = USUAL + 0.0040


def quote(terminal, middle):
    """One tick with a spread of a pip, in the broker's own spelling of the symbol."""
    terminal.telemetry.send_string(terminal.tick(terminal.chart, f"{middle - 0.00005:.5f}", f"{middle + 0.00005:.5f}"))


def of_symbol(alerts):
    return [alert for alert in alerts if alert.get("symbol") == SYMBOL]


def own_price(world):
    mesh, report = world.mesh, world.report
    honest = ExpertAdvisor(world.context, mesh, "outside_broker_a_x", 711001, server="Outside-Broker-A",
                           symbols=(f"{SYMBOL}.r",))
    lonely = ExpertAdvisor(world.context, mesh, "outside_broker_b_x", 711002, server="Outside-Broker-B",
                           symbols=(f"{SYMBOL}m",))
    pair = (lonely, honest)
    for terminal in pair:
        terminal.start()
    for terminal in pair:
        world.until(f"a terminal of {terminal.server} is active",
                    lambda t=terminal: mesh.hash(f"node:{t.node}").get("status"), lambda status: status == "active")
    steps = 0

    def both(price=None):
        """A quote of each, a little away from the last; `price` is the lonely one's own."""
        nonlocal steps
        steps += 1
        wobble = 0.00001 * (steps % 7)
        quote(lonely, (price or USUAL) + wobble)
        quote(honest, USUAL + wobble)
        world.turn(10)

    def alerts():
        return of_symbol(world.published("citadel-alerts", "CITADEL_ALERT"))

    # The lonely one quotes first, so its quotes are the ones in use; and both are known for a while.
    for _ in range(120):
        both()

    def agreed():
        both()
        return json.loads(mesh.redis("GET", f"levels:{SYMBOL}"))["condition"]

    world.until("two brokers quote one symbol and agree", agreed,
                lambda seen: seen["source_count"] == 2 and seen["sources_agree"], 15)
    report.check("and nothing is wrong with that", not alerts(), alerts())
    silent = len(world.published("node-alerts", "NODE_ALERT"))

    markets = []

    def away():
        both(AWAY)
        # Without an entry the market of this moment is asked about.
        if steps % 20 == 0:
            markets.append(world.ask("citadel-queries", {"symbol": SYMBOL, "direction": "BUY"}).get("entry_price", 99))
        return alerts()

    found = world.until("a price that nobody else has is told", away, bool, 10)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        away()
    for _ in range(50):
        both()
    end = time.monotonic() + 3
    while time.monotonic() < end:
        away()
    for _ in range(50):
        both()
    world.live(0.5)
    report.equal("one alert for hundreds of such quotes, also when they come again", len(alerts()), 1)
    alert = found[0] if found else {}
    report.check("it names the kind, the broker, its price and the others'",
                 alert.get("kind") == "outlying_quote" and alert.get("source") == lonely.server
                 and abs(alert.get("price", 0) - AWAY) < 0.0002 and abs(alert.get("reference", 0) - USUAL) < 0.0002
                 and alert.get("measured", 0) > alert.get("usual", 0) and bool(alert.get("message")), alert)
    report.check("its prices are written as prices", all(
        len(str(alert.get(name, 0))) <= len("1.123455") for name in ("price", "reference")), alert)
    kept = mesh.redis("XREVRANGE", "events:manipulation", "+", "-")
    report.equal("events:manipulation keeps it once", sum(SYMBOL in str(entry) for entry in kept), 1)
    shown = world.until("/sweeps shows it", lambda: of_symbol(mesh.items("/sweeps?limit=1000")), bool)
    report.equal("once", len(shown), 1)
    report.check("no terminal is accused on the port of terminals' alerts",
                 not [a for a in world.published("node-alerts", "NODE_ALERT")[silent:] if "Outside-Broker" in str(a)])
    report.check("its price never was the market", len(markets) > 10
                 and all(abs(price - USUAL) < 0.0005 for price in markets), markets)
    for terminal in pair:
        terminal.telemetry.send_string(terminal.disconnect_text())
    for terminal in pair:
        world.until(f"the terminal of {terminal.server} leaves",
                    lambda t=terminal: mesh.hash(f"node:{t.node}").get("status"),
                    lambda status: status == "disconnected")
        terminal.close()
