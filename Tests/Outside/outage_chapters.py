"""Redis away, services killed: nothing is lost, nothing happens twice, all of it comes back by itself."""

import os
import signal
import time

from trade_chapters import TRADER, position

PROBES = {"node-registry": "registry", "handshake-processor": "ea-telemetry", "confirmation-logger": "ea-receipts",
          "citadel-monitor": "citadel-queries", "position-tracker": "orders", "heartbeat-monitor": "node-alerts",
          "health-dashboard": "health"}


def redis_away(world, terminal):
    mesh, report = world.mesh, world.report
    terminal.mode = "hold"
    answer = world.fire("outage-1", TRADER)
    report.check("a fire is under way when Redis goes", answer.get("state") == "sent", answer)
    world.until("the terminal has the command", lambda: terminal.commands[-1].get("fire_id"), lambda i: i == "outage-1")
    pid = mesh.redis_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        world.until("/health says 503 without Redis", lambda: mesh.http("/health")[0], lambda status: status == 503, 10)
        report.check("/readyz says that it can't serve", mesh.http("/readyz")[0] == 503)
        report.check("/livez stays good", mesh.http("/livez")[0] == 200)
        answer = world.fire("outage-2", TRADER)
        report.check("fires are denied state_unavailable", answer.get("reason") == "state_unavailable", answer)
        terminal.mode = "success"
        terminal.execute(terminal.commands[-1])
        text = terminal.confirmation("fire", "outage-orphan", "success", 999000222, "1.08500", "0.10", "while away")
        answer = world.ask("ea-receipts", text.encode())
        report.check("a confirmation is durable without Redis and gets its receipt",
                     answer.get("ok") is True and answer.get("duplicate") is False, answer)
        text = terminal.tick("EURUSD.r", "1.08492", "1.08502").encode()
        terminal.telemetry.send(text)
        world.until("ticks flow on", lambda: any(f[0] == text for f in world.heard["market-relay"]))
    finally:
        os.kill(pid, signal.SIGKILL)
    world.until("the supervisor brings Redis back", lambda: mesh.redis("PING"), lambda answer: answer == "PONG", 10)
    world.until("/health is good again", lambda: mesh.http("/health")[0], lambda status: status == 200, 15)
    ticket = terminal.next_ticket - 1
    world.until("the confirmation that came meanwhile opened its position", lambda: position(world, TRADER, ticket),
                lambda item: item.get("fire_id") == "outage-1", 15)
    world.until("the fire is filled", lambda: mesh.hash("fire:outage-1").get("state"), lambda state: state == "filled")
    world.until("each was booked once", lambda: (len(world.events(fire_id="outage-1")),
                                                 len(world.events(ticket=999000222))),
                lambda counts: counts == (1, 1))
    world.until("fires are judged again", lambda: world.probe(TRADER), lambda reason: reason == "no_stop", 10)


def killed(world, terminal):
    mesh, report = world.mesh, world.report
    opened = {str(item["ticket"]) for item in mesh.items("/positions?state=open&limit=1000")}
    for name in mesh.SERVICES:
        before = mesh.service(name)
        pid = before.get("pid")
        if not isinstance(pid, int):
            report.check(f"{name}: its pid is in /services", False, before)
            continue
        os.kill(pid, signal.SIGKILL)
        port = mesh.ports[PROBES[name]]
        world.look(lambda: mesh.listens(port), lambda listens: not listens, 1)
        world.until_within(f"{name}: back after kill -9", lambda: mesh.listens(port), bool, 2.0)
        item = world.until(f"{name}: /services shows the new process at work", lambda: mesh.service(name),
                           lambda item: item.get("pid") not in (None, pid) and item.get("state") in mesh.UP, 10)
        item = world.until(f"{name}: and that it was restarted", lambda: mesh.service(name),
                           lambda item: int(item.get("restarts") or 0) >= 1)
        last = str(item.get("last_exit"))
        report.check(f"{name}: and how the last one ended", "9" in last or "KILL" in last, last)
    world.until("/health is good after all of it", lambda: mesh.http("/health")[0], lambda status: status == 200, 15)
    now = {str(item["ticket"]) for item in mesh.items("/positions?state=open&limit=1000")}
    report.equal("every open position is still there", now, opened)
    # EA 2.05 says HELLO once: until its next HEARTBEAT the restarted tracker does not know the way to it.
    terminal.last_heartbeat = 0
    world.until("the terminal may be fired at again", lambda: world.probe(TRADER), lambda reason: reason == "no_stop",
                15)
    answer = world.fire("after-1", TRADER)
    report.check("a fire leaves after all restarts", answer.get("state") == "sent", answer)
    item = world.until("and is filled", lambda: position(world, TRADER, terminal.next_ticket - 1),
                       lambda item: item.get("fire_id") == "after-1", 10)
    terminal.close_step = 0
    world.orders(type="close", user_uuid=TRADER, ticket=item.get("ticket"))
    world.until("and closed", lambda: position(world, TRADER, item.get("ticket")).get("state"),
                lambda state: state == "closed", 10)
    # Answers to pings go out on that port too; they are no trade events and have no id.
    ids = [event.get("event_id") for event in world.events() if event.get("kind") != "pong"]
    report.check("each has an id", all(ids), len(ids))
    twice = sorted({name for name in ids if ids.count(name) > 1})
    report.equal("no trade event was told twice over all of this", twice, [])


def sums(world):
    """At the end the mesh's own accounts agree with what this story did."""
    mesh, report = world.mesh, world.report
    closed = [event for event in world.events() if event.get("kind") == "closed"]
    # One row for each currency of accounts, and one for those whose currency nobody told.
    total = sum(item["total_trades"] for item in mesh.items("/stats"))
    report.equal("/stats counts the closes that were told", total, len(closed))
    ledger = world.orders(type="ledger")
    report.check("the ledger answers with its counts", ledger.get("ok") is True and "filled" in str(ledger), ledger)
    health = mesh.page("/health")[1]
    report.check("every command that left is accounted for", health.get("ledger", {}).get("unaccounted") == 0,
                 health.get("ledger"))
    began = time.monotonic()
    pages = {page: mesh.http(page)[0] for page in (
        "/health", "/services", "/nodes", "/positions", "/stats", "/signals", "/levels", "/alerts", "/metrics",
        "/livez",
        "/readyz", "/version", "/dashboard", "/")}
    report.check("every page answers", set(pages.values()) <= {200, 302, 303, 307, 308}, pages)
    report.check("all pages together within 2 s", time.monotonic() - began < 2, time.monotonic() - began)
    metrics = mesh.http("/metrics")[2]
    report.check("/metrics is Prometheus text", "# TYPE" in metrics and "# HELP" in metrics, metrics[:200])
