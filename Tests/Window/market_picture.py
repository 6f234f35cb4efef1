"""A market with a past, drawn by a terminal that sends its bars: the page's chart with its levels and sweeps."""

import json
import math
import threading
import time

import zmq

SYMBOL, NODE, USER = "EURCAD", "NODE_881001_44", "window_market_x"
BROKER_OFFSET = 2 * 3600
MINUTES = 300


def path(minute):
    """Waves of an hour: highs and lows that stay where they are."""
    return 1.46 + 0.0016 * math.sin(2 * math.pi * minute / 60)


def bar(start, minutes, first):
    """Of so many minutes from that one on."""
    prices = [path(first + step / 2) for step in range(2 * minutes + 1)]
    return json.dumps({"type": "OHLC", "node_id": NODE, "user_uuid": USER, "symbol": SYMBOL,
                       "timeframe": {1: "M1", 5: "M5", 15: "M15"}[minutes], "time": start + BROKER_OFFSET,
                       "open": round(prices[0], 5), "high": round(max(prices), 5), "low": round(min(prices), 5),
                       "close": round(prices[-1], 5), "timestamp": ""}, separators=(",", ":")).encode()


def tick(price):
    moment = time.strftime("%Y.%m.%d %H:%M:%S", time.gmtime(time.time() + BROKER_OFFSET))
    price += 0.00001 * (time.time_ns() // 1_000_000 % 5)
    return json.dumps({"type": "TICK", "node_id": NODE, "user_uuid": USER, "symbol": SYMBOL, "bid": round(price, 5),
                       "ask": round(price + 0.0001, 5), "spread": 10.0, "volume": 0, "timestamp": moment},
                      separators=(",", ":")).encode()


def introduction():
    return json.dumps({"type": "handshake", "node_id": NODE, "user_uuid": USER, "account": 881001, "broker": "Window",
                       "server": "Window-Demo", "company": "Window", "terminal": "MT5", "currency": "USD",
                       "leverage": 100, "balance": 5000.0, "equity": 5000.0, "symbols": [SYMBOL], "version": "2.05",
                       "socket_type": "DEALER"}, separators=(",", ":")).encode()


def picture(mesh, push, price, is_wanted, within=60):
    """Quotes on until the picture is as wanted, or that many seconds have passed."""
    deadline, known = time.monotonic() + within, {}
    while time.monotonic() < deadline and not is_wanted(known):
        push.send(tick(price))
        status, _, text = mesh.http(f"/symbols/{SYMBOL}")
        known = json.loads(text) if status == 200 else {}
        time.sleep(0.2)
    return known


def sweep(mesh, push, known):
    """Through the nearest level above, and back below it: what a sweep is. Known when the five minutes' bar closes."""
    price = path(MINUTES)
    above = sorted(float(one["price"]) for one in known["levels"] if one["state"] == "resting" and float(one["price"]) > price)
    if not above:
        return known
    level, end = above[0], time.monotonic() + 3
    picture(mesh, push, level + 0.0008, lambda _: time.monotonic() > end)
    return picture(mesh, push, level - 0.0006, lambda known: known.get("sweeps"), 330)


class Past:
    """Sends the bars of some hours and sweeps a level of theirs, while other chapters are written."""

    def __init__(self, mesh):
        self.mesh = mesh
        self.known = {}
        self.thread = threading.Thread(target=self.draw, daemon=True)
        self.thread.start()

    def draw(self):
        push = zmq.Context.instance().socket(zmq.PUSH)
        push.linger = 0
        push.connect(self.mesh.endpoint("ea-telemetry"))
        push.send(introduction())
        try:
            # Until it is registered, and its broker's clock known, what it quotes does not count.
            self.known = picture(self.mesh, push, path(MINUTES), lambda known: known.get("bars"))
            end = int(time.time()) // 900 * 900
            for first in range(0, MINUTES):
                for minutes in (1, 5, 15):
                    if (first + 1) % minutes == 0:
                        begin = first + 1 - minutes
                        push.send(bar(end - (MINUTES - begin) * 60, minutes, begin))
            has_levels = lambda known: len(known.get("levels") or []) > 3  # noqa: E731
            self.known = picture(self.mesh, push, path(MINUTES), has_levels)
            if self.known.get("levels"):
                self.known = sweep(self.mesh, push, self.known)
        finally:
            push.close()

    def is_drawn(self, report):
        """Whether levels and a sweep are known, once all was sent."""
        self.thread.join()
        return report.check("bars of some hours give levels, and quotes through one of them a sweep",
                            self.known.get("levels") and self.known.get("sweeps"),
                            {name: len(self.known.get(name) or []) for name in ("bars", "levels", "sweeps")})  # fmt: skip


CHART = (
    "(() => { const svg = [...document.querySelectorAll('#detail svg')].find(s => s.getAttribute('aria-label')?.includes('bars of one minute'));"
    " return { bars: Number(/(\\d+) bars/.exec(svg?.getAttribute('aria-label') ?? '')?.[1] ?? 0),"
    " levels: Number(/(\\d+) levels near/.exec(svg?.getAttribute('aria-label') ?? '')?.[1] ?? 0),"
    " sweeps: svg?.querySelectorAll('.sweep').length ?? 0, rows: document.querySelectorAll('#detail table tbody tr').length }; })()"
)


def look(report, world, opened, past):
    if not past.is_drawn(report):
        return
    for width, scheme in ((1440, "light"), (390, "dark")):
        page = opened(world, f"/dashboard/symbol/{SYMBOL}", width=width, scheme=scheme, touch=width < 500)
        report.check(f"the chart of {SYMBOL} at {width} pixels has bars, levels and sweeps",
                     page.until(f"(({CHART}).bars > 30 && ({CHART}).levels > 0 && ({CHART}).sweeps > 0 && ({CHART}).rows > 2)", 30),
                     page.value(f"JSON.stringify({CHART})"))  # fmt: skip
        world.picture(page, f"market-{width}-{scheme}")
        page.drain(0.3)
        report.equal(f"the chart at {width} pixels: no complaint in the console", page.complaints, [])
        page.close()
