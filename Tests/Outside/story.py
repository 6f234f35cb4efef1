"""The story of a day in the mesh, told from outside by a client that shares no code with it.

Only Debian's python3-zmq is needed beside redis-cli. Prints one line a check and `N passed, N failed, N skipped`.
"""

import os
import signal
import sys

import brake_chapter
import broker_chapter
import citadel_endurance
import denial_chapters
import family_chapters
import fleet_chapters
import hostile_chapters
import ledger_chapters
import operating_chapters
import outage_chapters
import silence_chapter
import trade_chapters
import users_chapter
from checks import Report
from private_mesh import ROOT, PrivateMesh
from world import World

TOPICS = ("market-relay", "trade-events", "signals", "node-alerts", "citadel-alerts")


def tell(mesh, report):
    report.chapter("start", operating_chapters.start, mesh, report)
    if not mesh.service("position-tracker"):
        return
    # By itself: where the crowds of later chapters go at the same time, one alert stands for them all.
    report.chapter("a terminal goes silent", silence_chapter.silence, mesh, report)
    world = World(mesh, report, "main", TOPICS)
    world.live(0.3)
    report.chapter("a terminal dials in", fleet_chapters.dial_in, world)
    report.chapter("prices flow", fleet_chapters.prices, world)
    report.chapter("the market is watched", fleet_chapters.watched_market, world)
    report.chapter("one broker's own price", broker_chapter.own_price, world)
    terminal = trade_chapters.trader(world)
    report.chapter("trades are fired and confirmed", trade_chapters.trades, world, terminal)
    report.chapter("positions live", trade_chapters.profits, world, terminal)
    report.chapter("positions close", trade_chapters.closes, world, terminal)
    report.chapter("where a profit is known from", trade_chapters.sources_of_profit, world, terminal)
    report.chapter("the broker refuses", trade_chapters.refused_by_the_broker, world, terminal)
    report.chapter("receipts", trade_chapters.receipts, world, terminal)
    report.chapter("denials", denial_chapters.denials, world, terminal)
    report.chapter("the same fire twice", denial_chapters.twice, world, terminal)
    report.chapter("one outstanding fire", ledger_chapters.queue, world, terminal)
    report.chapter("a fire without an answer", ledger_chapters.unanswered, world, terminal)
    report.chapter("ping", ledger_chapters.ping, world, terminal)
    report.chapter("a shared identity", ledger_chapters.twins, world)
    report.chapter("other EAs' words", ledger_chapters.dialects, world)
    report.chapter("one signal, fired", denial_chapters.signals, world, terminal)

    def crowd():
        denial_chapters.many(world, denial_chapters.one_slot(world))

    report.chapter("one slot, and many users", crowd)
    report.chapter("the brake", denial_chapters.brake, world)
    report.chapter("how soon the brake holds", brake_chapter.at_once, world)
    report.chapter("foreign names", hostile_chapters.foreign_names, world)
    report.chapter("bad frames", hostile_chapters.bad_frames, world)
    report.chapter("bad requests", hostile_chapters.bad_requests, world)
    report.chapter("strangers", hostile_chapters.strangers, world)
    report.chapter("users from a file, and found", users_chapter.users, world)
    report.chapter("meshctl looks", operating_chapters.asked, world)
    report.chapter("Redis is away", outage_chapters.redis_away, world, terminal)
    report.chapter("services are killed", outage_chapters.killed, world, terminal)
    report.chapter("sums", outage_chapters.sums, world)
    world.close()
    report.chapter("stop", operating_chapters.stop, mesh, report)
    report.chapter("scores, signals and alerts", citadel_endurance.alone, mesh.products, report)
    report.chapter("start again", operating_chapters.survived, mesh, report)
    report.chapter("starts that can't be", operating_chapters.impossible, mesh, report)
    report.chapter("every EA family", family_chapters.families, mesh.products, report, bool(os.environ.get("KEEP_STATE")))


def main():
    products = os.environ.get("MESH_PRODUCTS") or os.path.join(ROOT, ".build", "release")
    report = Report()
    if not os.access(os.path.join(products, "meshctl"), os.X_OK):
        report.skip("the story from outside", f"there is no {products}/meshctl: build first, or set MESH_PRODUCTS")
        return report.finish()
    mesh = PrivateMesh(products)
    print(f"mesh in {mesh.directory}, products of {products}", flush=True)

    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def interrupted(number, _):
        # Cleaning up must not be interrupted by the same signal come twice.
        for other in signals:
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in signals:
        signal.signal(number, interrupted)
    try:
        tell(mesh, report)
    except Exception as error:  # the summary is printed whatever happened
        report.check("the story runs to its end", False, f"{type(error).__name__}: {error}")
    finally:
        mesh.clean_up(keep=report.failed > 0 and bool(os.environ.get("KEEP_STATE")))
    return report.finish()


if __name__ == "__main__":
    code = main()
    # Threads and sockets of a chapter that broke off must not hold the exit up.
    sys.stdout.flush()
    os._exit(code)
