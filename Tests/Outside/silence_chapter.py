"""Point 9: a terminal goes silent. It takes more than a minute and runs beside the other chapters."""

import time

from expert_advisor import ExpertAdvisor
from world import World


def silence(mesh, report):
    world = World(mesh, report, "silence", topics=("node-alerts",))
    try:
        tell(world)
    finally:
        world.close()


def tell(world):
    mesh, report = world.mesh, world.report
    hung = ExpertAdvisor(world.context, mesh, "outside_hung_____x", 760001, server="Outside-Silent-A")
    other = ExpertAdvisor(world.context, mesh, "outside_quoting__x", 760002, server="Outside-Silent-A")
    # On a weekend the word of one terminal is not believed against the others'.
    another = ExpertAdvisor(world.context, mesh, "outside_quoting_2_x", 760004, server="Outside-Silent-A")
    closed = ExpertAdvisor(world.context, mesh, "outside_weekend__x", 760003, server="Outside-Silent-B")
    world.terminals += [hung, other, another, closed]
    for terminal in world.terminals:
        terminal.start()
    for terminal in world.terminals:
        world.until(f"{terminal.user} is active", lambda t=terminal: mesh.hash(f"node:{t.node}").get("status"),
                    lambda status: status == "active")
    world.live(3)
    # Both stop without a word, connections open: one hangs while its broker quotes others, one's market is closed.
    world.terminals.remove(hung)
    world.terminals.remove(closed)
    began = time.monotonic()

    def state(terminal):
        row = mesh.hash(f"node:{terminal.node}")
        return row.get("status"), row.get("liveness")

    world.look(lambda: time.monotonic() - began, lambda elapsed: elapsed >= 45, 60)
    report.check("45 s of silence are late and no reason for alarm", state(hung) == ("active", "late"), state(hung))
    world.look(lambda: time.monotonic() - began, lambda elapsed: elapsed >= 57, 60)
    report.check("57 s of silence end nothing", state(hung)[0] == "active", state(hung))
    world.until("after 60 s the silent terminal is timeout", lambda: state(hung),
                lambda seen: seen == ("timeout", "dead"), 9)
    report.check("it left active_nodes", mesh.redis("SISMEMBER", "active_nodes", hung.node) == 0)
    alerts = world.until(
        "NODE_ALERT goes out", lambda: [a for a in world.published("node-alerts", "NODE_ALERT")
                                                 if a.get("node_id") == hung.node], bool)
    report.check("it says what, who and how bad",
                 alerts and alerts[0].get("type") == "node_timeout" and alerts[0].get("user_uuid") == hung.user
                 and bool(alerts[0].get("severity")) and bool(alerts[0].get("message")),
                 alerts or world.published("node-alerts", "NODE_ALERT"))
    world.until("/alerts keeps it", lambda: hung.node in str(mesh.items("/alerts?limit=1000")))
    world.until("/nodes says timeout", lambda: mesh.page(f"/nodes/{hung.node}")[1].get("status"),
                lambda status: status == "timeout")
    world.until("where nobody gets quotes the terminal is quiet", lambda: state(closed),
                lambda seen: seen == ("active", "quiet"), 9)
    report.check("and no alert is raised for it",
                 not [a for a in world.published("node-alerts", "NODE_ALERT") if a.get("node_id") == closed.node])
    report.check("the other terminal of the broker lives", state(other) == ("active", "live"), state(other))
    health = world.until("the health score fell", lambda: mesh.page("/health")[1],
                         lambda page: page.get("health_score", 100) < 100, 10)
    factors = [health[name] for name in ("health_factors", "factors") if isinstance(health.get(name), list)]
    lost = [f for f in (factors or [[]])[0] if float(f.get("points", 0)) < float(f.get("max_points", 0))]
    report.check("and it says why", bool(lost) and all(f.get("why") for f in lost), lost or health)
    liveness = mesh.hash(f"liveness:{hung.node}")
    report.check("stability is kept per node", "grade" in liveness or "stability" in liveness, liveness)
    recovery(world, hung, state)


def recovery(world, hung, state):
    count = len(world.published("node-alerts", "NODE_ALERT"))
    world.terminals.append(hung)
    hung.last_heartbeat = 0
    world.until("a heartbeat brings the terminal back", lambda: state(hung), lambda seen: seen == ("active", "live"))
    alerts = [a for a in world.published("node-alerts", "NODE_ALERT")[count:] if a.get("type") == "node_timeout"]
    world.report.equal("no second alarm within the cool-down", alerts, [])
    for terminal in world.terminals:
        terminal.telemetry.send_string(terminal.disconnect_text())
