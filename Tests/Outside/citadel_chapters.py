"""What citadel-monitor answers and publishes, seen from outside: ports 5566, 5563, 5557 and 5565 of the contract."""

import json
import time

import zmq

SYMBOL = "EURUSD"
LEVELS = [(8, "FORTRESS"), (6, "PROTECTED"), (4, "CAUTION"), (2, "HIGH_RISK"), (0, "DANGER")]


def market(world):
    """Quotes of a terminal nobody registered count after five seconds; then a day of history."""
    began = time.monotonic()

    def quoted():
        world.tick(SYMBOL, 1.1 + 0.00001 * (world.sent % 7))
        answer = world.query({"symbol": SYMBOL, "entry_price": 1.1})
        return answer and not answer["stale"]
    world.wait(quoted, 12, "quotes of a stranger count", pause=0.1)
    world.report.check("a stranger's quotes wait for its registration", time.monotonic() - began > 4)
    world.price = world.wave(SYMBOL)

    def known():
        world.tick(SYMBOL, world.price + 0.00001 * (world.sent % 7))
        answer = world.query({"symbol": SYMBOL, "entry_price": world.price, "direction": "BUY"})
        return answer["confidence"] > 0.9 and answer["levels"]
    world.report.check("a day of bars gives levels and confidence", world.wait(known, 10, "history", pause=0.05))


def trade(world, **more):
    price = round(world.price, 5)
    return {"symbol": SYMBOL, "entry_price": price, "direction": "BUY", "stop_loss": round(price - 0.003, 5),
            "take_profit": round(price + 0.006, 5), **more}


def is_sound(world, title, answer):
    """What every answer must keep, whatever the market."""
    factors = answer["factors"]
    total = sum(round(factor["contribution"] * 1000) for factor in factors.values())
    bounds = {name: (round(f["weight"] * 1000), round(f["weight"] * 10000)) for name, f in factors.items()}
    shares = {name: round(factor["contribution"] * 1000) for name, factor in factors.items()}
    checks = {
        "contributions add up": total == round(answer["protection_score"] * 1000),
        "weights sum to one": abs(sum(factor["weight"] for factor in factors.values()) - 1) < 1e-9,
        "weights are the weights": all(
            abs(factor["weight"] * factor["score"] - factor["contribution"]) < 0.03 for factor in factors.values()),
        "none is more than its weight": all(bounds[n][0] <= share <= bounds[n][1] for n, share in shares.items()),
        "range": 1 <= answer["protection_score"] <= 10,
        "risk level": answer["risk_level"] == next(w for least, w in LEVELS if answer["protection_score"] >= least),
        "nine factors": len(factors) == 9 and "timeframes" in factors,
        "sentences": bool(answer["insights"]) and all(isinstance(text, str) for text in answer["insights"]),
    }
    return world.report.check(title, all(checks.values()), (checks, answer))


def scores(world):
    report = world.report
    answer = world.query(trade(world, request_id=7))
    is_sound(world, "a trade's score is the sum of its parts", answer)
    report.equal("the request id comes back", answer.get("request_id"), 7)
    report.equal("each sentence names its factor", len(answer["insight_factors"]), len(answer["insights"]))
    naked = world.query({"symbol": SYMBOL, "entry_price": trade(world)["entry_price"]})
    is_sound(world, "a bare question is answered", naked)
    report.check("no direction: the worse side, and it says so",
                 naked["direction_assumed"] and "No direction was given" in naked["insights"][0], naked["insights"])
    sides = [world.query({"symbol": SYMBOL, "entry_price": trade(world)["entry_price"], "direction": side})
             for side in ("BUY", "SELL")]
    report.check("it really is the worse one",
                 abs(naked["protection_score"] - min(side["protection_score"] for side in sides)) < 0.15,
                 [naked["protection_score"]] + [side["protection_score"] for side in sides])
    report.check("a trade with a stop scores above the same without",
                 answer["protection_score"] > sides[0]["protection_score"],
                 (answer["protection_score"], sides[0]["protection_score"]))
    unknown = world.query({"symbol": "GBPNZD", "entry_price": 2.1, "direction": "BUY"})
    is_sound(world, "a symbol without quotes is answered", unknown)
    report.check("stale, without confidence, and low: no middle value in disguise",
                 unknown["stale"] and unknown["confidence"] == 0 and unknown["protection_score"] <= 3, unknown)
    suffixed = world.query(trade(world, symbol=SYMBOL + ".r"))
    report.check("a broker's suffix is understood", suffixed["ok"] and suffixed["symbol"] == SYMBOL + ".r"
                 and suffixed["canonical_symbol"] == SYMBOL and not suffixed["stale"], suffixed)


def bad_questions(world):
    report = world.report
    price = trade(world)["entry_price"]
    cases = [
        (b"", "bad_request"), (b"{", "bad_request"), (b"\xff\xfe\x00", "bad_request"), (b"[1,2]", "bad_request"),
        (b"nonsense", "bad_request"), (b"[" * 5000, "bad_request"), ([b"{}", b"{}"], "bad_request"),
        ({}, "bad_symbol"), ({"symbol": "X" * 40, "entry_price": 1}, "bad_symbol"),
        ({"symbol": SYMBOL, "entry_price": "abc"}, "bad_entry_price"),
        ({"symbol": SYMBOL, "entry_price": -1}, "bad_entry_price"),
        ({"symbol": SYMBOL, "entry_price": price * 3}, "entry_far_from_market"),
        (trade(world, direction="UP"), "bad_direction"),
        (trade(world, stop_loss=price + 0.01), "stop_wrong_side"),
        (trade(world, take_profit=price - 0.01), "target_wrong_side"),
        (trade(world, stop_loss="x"), "bad_stop_loss"),
        ({"signal_id": "never_sent"}, "unknown_signal"),
    ]
    for message, code in cases:
        answer = world.query(message)
        good = (answer and answer["ok"] is False and answer["error"]["code"] == code and answer["error"]["message"]
                and answer["protection_score"] == 1.0 and answer["risk_level"] == "ERROR")
        report.check(f"5566 refuses {str(message)[:60]!r} with {code}", good, answer)
    for message, code in [
            (b"{", "bad_request"), ({}, "bad_signal_id"), ({"signal_id": "a b"}, "bad_signal_id"),
            ({"signal_id": "s"}, "bad_symbol"), (trade(world, signal_id="s", direction=None), "bad_direction"),
            (trade(world, signal_id="s", symbol="NOSUCH"), "unknown_symbol"),
            (trade(world, signal_id="s", stop_loss=price + 1), "stop_wrong_side"),
            (trade(world, signal_id="s", expires_at="2001-01-01T00:00:00Z"), "signal_expired"),
            ({**trade(world, signal_id="s"), **{f"f{n}": n for n in range(300)}}, "too_many_fields")]:
        answer = world.intake(message)
        report.check(f"5563 refuses {str(message)[:60]!r} with {code}",
                     answer and answer["ok"] is False and answer["error"]["code"] == code, answer)
    report.check("and serves the next", world.query(trade(world))["ok"])


def curve(world, identifier):
    return json.loads(world.mesh.hash(f"signal:{identifier}").get("curve", "[]"))


def signals(world):
    report = world.report
    wire = world.subscribe("signals", b"ELITE_GUARD_SIGNAL ")
    time.sleep(0.5)
    sent = trade(world, signal_id="OUT_1", pattern="SWEEP_RETURN", confidence=83.5, risk_reward=2, session="LONDON",
                 nested={"a": [1, 2, {"b": None}]}, price_text="1.10500", own_field="kept as it is")
    answer = world.intake(sent)
    report.check("a signal is answered with its score", answer["ok"] and answer["signal_id"] == "OUT_1"
                 and answer["recorded"] and not answer["duplicate"], answer)
    heard = []
    world.wait(lambda: heard.extend(world.heard(wire, "ELITE_GUARD_SIGNAL ")) or heard, 5, "it is published")
    report.check("it is published with everything the engine sent",
                 all(heard[0].get(name) == value for name, value in sent.items()), heard[0])
    report.equal("and with its score", heard[0]["protection_score"], answer["protection_score"])
    report.check("the citadel object's parts add up", abs(
        sum(f["contribution"] for f in heard[0]["citadel"]["factors"].values()) - answer["protection_score"]) < 1e-6)
    again = world.intake(sent)
    report.check("the same id is the same signal", again["duplicate"]
                 and again["protection_score"] == answer["protection_score"])
    alone = world.query({"signal_id": "OUT_1"})
    report.check("signal_id alone asks for it", alone["ok"] and alone["symbol"] == SYMBOL
                 and alone["direction"] == "BUY" and "decay" in alone, alone)
    is_sound(world, "its standing is the sum of its parts", alone)

    # The market runs from the entry: 90 % of the stop in eight seconds, ten quotes a second.
    updates, quotes = [], 0
    start = world.price
    for step in range(80):
        world.tick(SYMBOL, start - 0.0027 * (step + 1) / 80)
        quotes += 1
        time.sleep(0.1)
        updates += world.heard(wire, "ELITE_GUARD_SIGNAL ")

    def decayed():
        world.tick(SYMBOL, start - 0.0027 + 0.00001 * (world.sent % 3))
        updates.extend(world.heard(wire, "ELITE_GUARD_SIGNAL "))
        return [u for u in updates if u.get("update") == "decay"]
    found = world.wait(decayed, 15, "the drift is published", pause=0.1)
    report.check("drift takes the score down, with a reason",
                 found[-1]["protection_score"] < answer["protection_score"] and "protection fell" in
                 found[-1]["update_reason"], found[-1])
    report.check("by the market's drift as a share of the stop", found[-1]["citadel"]["decay"]["drift_share"] > 0.3,
                 found[-1]["citadel"].get("decay"))
    report.check("the sender's fields are there again", found[-1]["own_field"] == "kept as it is")
    report.check("a standing is published when it changes, not every tick", len(updates) < quotes / 4,
                 f"{len(updates)} updates, {quotes} quotes")

    for step in range(5):
        world.tick(SYMBOL, start - 0.0031 - 0.00001 * step)
    world.wait(lambda: updates.extend(world.heard(wire, "ELITE_GUARD_SIGNAL ")) or
               [u for u in updates if u.get("update") == "invalidated"], 5, "the stop ends it")
    report.check("a touched stop invalidates", "stop" in [
        u for u in updates if u.get("update") == "invalidated"][0]["update_reason"])
    row = world.mesh.hash("signal:OUT_1")
    points = curve(world, "OUT_1")
    report.check("its curve is kept: submission, changes, end", row["state"] == "invalidated" and len(points) >= 3
                 and points[0][1] == answer["protection_score"] and points == sorted(points)
                 and str(points[-1][0]) == row["ended_at"], (row, points))
    ended = world.query({"signal_id": "OUT_1"})
    report.equal("asked for alone it has ended", ended["error"]["code"], "signal_ended")
    report.equal("sent again it has ended", world.intake(sent)["error"]["code"], "signal_ended")
    world.price = start - 0.0031

    soon = world.intake(trade(world, signal_id="OUT_2", expires_at_ms=int(time.time() * 1000) + 1500))
    report.check("a short-lived signal is taken", soon["ok"], soon)
    world.wait(lambda: updates.extend(world.heard(wire, "ELITE_GUARD_SIGNAL ")) or
               [u for u in updates if u.get("update") == "expired" and u["signal_id"] == "OUT_2"], 6, "it expires")
    report.check("it expires at its time", world.mesh.hash("signal:OUT_2")["state"] == "expired")
    wire.close()



def alerts(world):
    report = world.report
    wire = world.subscribe("citadel-alerts", b"CITADEL_ALERT ")
    for number in range(150):
        world.tick(SYMBOL, world.price + 0.00001 * (number % 9))
    heard = []

    def blown():
        for number in range(4):
            world.tick(SYMBOL, world.price + 0.00001 * ((world.sent + number) % 9), spread=0.0030)
        heard.extend(world.heard(wire, "CITADEL_ALERT "))
        return [alert for alert in heard if alert["type"] == "manipulation"]
    found = world.wait(blown, 10, "a spread blow-out is told", pause=0.2)
    alert = found[0]
    report.check("a spread blow-out is one alert with its numbers", alert["kind"] == "spread_blowout"
                 and alert["symbol"] == SYMBOL and alert["measured"] > 5 * alert["usual"] and alert["message"]
                 and isinstance(alert["timestamp"], int), alert)
    for _ in range(20):
        blown()
    report.equal("one alert an event, not one a tick", len([a for a in heard if a["kind"] == "spread_blowout"]), 1)
    kept = world.mesh.redis("XREVRANGE", "events:manipulation", "+", "-", "COUNT", "10")
    report.check("and one entry in events:manipulation", len(kept) == 1, kept)
    wide = world.query(trade(world))
    report.check("the score knows it", wide["factors"]["spread"]["score"] <= 2, wide["factors"]["spread"])
    is_sound(world, "and still adds up", wide)

    def condition():
        text = world.mesh.redis("GET", f"levels:{SYMBOL}")
        seen = text if isinstance(text, dict) else json.loads(text or "{}")
        return seen.get("condition", {}).get("manipulation") and seen["condition"]
    seen = world.wait(condition, 15, "levels:EURUSD carries the condition", pause=0.2)
    report.check("levels:<symbol> carries the market's condition", seen["regime"] in ("trend", "range", "unknown")
                 and seen["session"] and seen["source_count"] == 1, seen)
    wire.close()
