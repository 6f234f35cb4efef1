"""What citadel-monitor does when much comes at once, or late; and the order of all its chapters."""

import json
import time

import zmq

from citadel_chapters import SYMBOL, alerts, bad_questions, curve, market, scores, signals, trade
from citadel_world import CitadelWorld


def restart(world):
    report = world.report
    first = world.intake(trade(world, signal_id="OUT_3", keep="me"))
    before = curve(world, "OUT_3")
    world.kill()
    world.start()
    answer = world.query({"signal_id": "OUT_3"})
    report.check("a live signal survives kill -9", answer and answer["ok"] and answer["symbol"] == SYMBOL, answer)
    report.equal("and its curve", curve(world, "OUT_3")[0], before[0])
    report.check("sent again it is known", world.intake(trade(world, signal_id="OUT_3", keep="me"))["duplicate"],
                 first)
    report.equal("ended ones stay ended", world.query({"signal_id": "OUT_1"})["error"]["code"], "signal_ended")

    def fresh():
        world.tick(SYMBOL, world.price + 0.00001 * (world.sent % 7))
        seen = world.query(trade(world))
        return not seen["stale"] and seen["confidence"] > 0.9
    report.check("the bars of before are known again", world.wait(fresh, 12, "history is back", pause=0.1))


def crowds(world):
    """Questions do not wait for ticks, nor ticks for questions."""
    report = world.report
    before = world.counter("ticks_used")
    dealer = world.client("citadel-queries", zmq.DEALER)
    dealer.sndhwm = 0
    question = json.dumps(trade(world)).encode()
    for number in range(5_000):
        dealer.send_multipart([b"", question])
        if number % 5 == 0:
            world.tick(SYMBOL, world.price + 0.00001 * (number % 97))
    answers = 0
    while answers < 5_000 and dealer.poll(5_000):
        dealer.recv_multipart()
        answers += 1
    report.equal("5,000 questions at once are all answered", answers, 5_000)
    dealer.close()
    used = world.wait(lambda: world.counter("ticks_used") - before >= 1_000, 10, "the ticks between them", pause=0.2)
    report.check("and no tick between them is lost", used)
    asking = world.client("citadel-queries")
    waited = []
    for _ in range(20):
        for number in range(2_000):
            world.tick(SYMBOL, world.price + 0.00001 * (number % 89))
        began = time.monotonic()
        answer = world.ask(asking, trade(world))
        waited.append(time.monotonic() - began if answer["ok"] else 99)
    asking.close()
    report.check("a question behind 2,000 ticks is answered at once", max(waited) < 0.5,
                 [round(seconds, 4) for seconds in waited])


def flood(world):
    """One quote touches the stops of a thousand signals: all end, each once, and questions are answered meanwhile."""
    report = world.report
    many = 1_000
    wire = world.subscribe("signals", b"ELITE_GUARD_SIGNAL ")
    price = round(world.price, 5)
    dealer = world.client("signal-intake", zmq.DEALER)
    dealer.sndhwm = 0
    for number in range(many):
        dealer.send_multipart([b"", json.dumps(trade(
            world, signal_id=f"FLOOD_{number}", stop_loss=round(price - 0.002, 5))).encode()])
    taken = 0
    while taken < many and dealer.poll(30_000):
        taken += json.loads(dealer.recv_multipart()[-1])["ok"]
    dealer.close()
    report.equal("a thousand signals are taken", taken, many)
    world.heard(wire, "ELITE_GUARD_SIGNAL ")
    ended, waited = [], []
    world.tick(SYMBOL, price - 0.0021)
    world.tick(SYMBOL, price)
    asking = world.client("citadel-queries")

    def all_ended():
        began = time.monotonic()
        answer = world.ask(asking, trade(world))
        waited.append(time.monotonic() - began if answer and answer["ok"] else 99)
        ended.extend(u["signal_id"] for u in world.heard(wire, "ELITE_GUARD_SIGNAL ")
                     if u.get("update") == "invalidated")
        return len(ended) >= many
    world.wait(all_ended, 30, "all of them end", pause=0)
    asking.close()
    wire.close()
    report.check("each ends once, though the market is back at once", len(set(ended)) == len(ended) == many, len(ended))
    report.check("and a question waits for none of them", max(waited) < 0.5, max(waited))
    report.check("several questions were answered before the last had ended", len(waited) > 5, len(waited))
    report.equal("their rows say so", world.mesh.hash(f"signal:FLOOD_{many - 1}").get("state"), "invalidated")


def stored_bars(world, timeframe):
    """How many closed bars Redis keeps, and when the first and last of them begin."""
    rows = world.mesh.redis("LRANGE", f"bars:{SYMBOL}:{timeframe}", "0", "-1") or []
    starts = [row[0] if isinstance(row, list) else json.loads(row)[0] for row in rows]
    return len(starts), starts == sorted(set(starts)), starts[0] if starts else None


def late_history(world):
    """A terminal sends the days before what is known, newest first: it is known, kept, and there after kill -9."""
    report = world.report
    before = stored_bars(world, "M5")
    end = int(time.time()) // 300 * 300 - 400 * 300
    for start in range(end - 300, end - 200 * 300, -300):
        base = 1.1 + 0.0001 * ((start // 300) % 23)
        world.bar(SYMBOL, "M5", start, base, base + 0.0006, base - 0.0005, base + 0.0001)

    def kept():
        world.tick(SYMBOL, world.price + 0.00001 * (world.sent % 7))
        return stored_bars(world, "M5")[0] >= before[0] + 190 and stored_bars(world, "M5")
    after = world.wait(kept, 30, "late history reaches Redis", pause=0.2)
    report.check("late history stands in Redis, in its order, once", after[1] and after[2] < before[2], (before, after))
    world.kill()
    world.start()
    again = stored_bars(world, "M5")
    report.check("and is not lost with kill -9", again[0] >= after[0] and again[2] == after[2], (after, again))

    def quoted():
        world.tick(SYMBOL, world.price + 0.00001 * (world.sent % 7))
        return not world.query(trade(world))["stale"]
    world.wait(quoted, 30, "quotes count again", pause=0.1)


def alone(products, report):
    """All of it on a citadel-monitor of its own."""
    world = CitadelWorld(products, report)
    try:
        world.start_redis()
        world.start()
        report.chapter("a market is drawn", market, world)
        report.chapter("scores", scores, world)
        report.chapter("bad questions", bad_questions, world)
        report.chapter("signals age", signals, world)
        report.chapter("crowds of questions and of ticks", crowds, world)
        report.chapter("a thousand signals end at once", flood, world)
        report.chapter("kill -9 of citadel-monitor", restart, world)
        report.chapter("late history", late_history, world)
        report.chapter("alerts of the market", alerts, world)
    finally:
        world.close(report.failed > 0)
