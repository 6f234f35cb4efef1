"""Every EA family against real sockets: what ports.yaml can be switched to, side by side, and who floods."""

import json
import time

import zmq

from expert_advisor import ExpertAdvisor
from family_world import FamilyMesh, OlderPuller, Puller, Subscriber
from world import World


def families(products, report, keep=False):
    for title, chapter, options in (
        ("2.05, 2.02, 2.01 and 7.01 side by side", side_by_side, SIDE_BY_SIDE),
        ("a PUB for EAs that SUB", published, {"sockets": {"ea-commands": "PUB"}}),
        ("a PUSH for one EA that PULLs", pushed, {"sockets": {"ea-commands": "PUSH"}}),
        ("SUB for EAs that PUB", heard_by_sub, {"sockets": {"ea-telemetry": "SUB", "ea-confirmations": "SUB"}}),
        ("a PULL that met a ROUTER", turned_away, {}),
        ("one terminal floods", flood, {"settings": ("terminal_rate: 500", "terminal_burst: 2000")}),
    ):
        mesh = FamilyMesh(products, **options)
        world = None
        try:
            if mesh.up(report):
                world = World(mesh, report, "families", ("market-relay", "trade-events"))
                world.live(0.3)
                report.chapter(title, chapter, world)
        finally:
            if world:
                world.close()
            mesh.down(keep)


SIDE_BY_SIDE = {"listeners": {
    "ea-commands-pull": ("ea-commands", "PUSH", ', user: "family_pull_x"'),
    "ea-commands-older": ("ea-commands", "PUSH", ""),
    "ea-telemetry-sub": ("ea-telemetry", "SUB", ""),
    "ea-confirmations-sub": ("ea-confirmations", "SUB", ""),
}}


def node(world, terminal):
    return world.mesh.hash(f"node:{terminal.node}")


def traded(world, terminal, fire_id, direction):
    """Fires, and follows the trade to its booking."""
    report = world.report
    world.orders(type="set_user", user_uuid=terminal.user, tier="COMMANDER")
    # Until the handshake, the prices and the way are known a fire is denied; a denied id can't be used again.
    answers = []

    def attempt():
        answers.append(world.fire(f"{fire_id}-{len(answers)}", terminal.user, direction=direction,
                                  sl=1.08 if direction == "BUY" else 1.09))
        return answers[-1]

    answer = world.until(f"{fire_id}: the fire is sent", attempt, lambda seen: seen.get("state") == "sent", 10)
    name = answer.get("fire_id", "")
    world.until(f"{fire_id}: the terminal got the command", lambda: terminal.commands,
                lambda seen: any(command.get("fire_id") == name for command in seen))
    row = world.until(f"{fire_id}: the trade is booked", lambda: world.events(fire_id=name), bool)
    event = row[0] if row else {}
    report.check(f"{fire_id}: as a trade in the direction that was asked for",
                 str(event.get("direction")).upper() == direction, event)
    return event


def side_by_side(world):
    mesh, report = world.mesh, world.report
    dealer = ExpertAdvisor(world.context, mesh, "family_dealer_x", 820001)
    pull = Puller(world.context, mesh, "family_pull_x", 820002, port="ea-commands-pull")
    older = OlderPuller(world.context, mesh, "family_older_x", 820003, port="ea-commands-older")
    for terminal in (dealer, pull, older):
        terminal.start()
        world.terminals.append(terminal)
    for terminal, family in ((dealer, "2.05"), (pull, "2.02"), (older, "2.01")):
        row = world.until(f"{family} is known for what it is", lambda one=terminal: node(world, one),
                          lambda seen, word=family: seen.get("family") == word)
        report.check(f"{family} hears commands", row.get("hears_commands") == "yes", row)
        report.check(f"{family}'s address is known", row.get("peer_address") == "127.0.0.1", row)
    event = traded(world, dealer, "side-205", "BUY")
    report.check("2.05's confirmation names its fire", event.get("inferred") in (None, False, "0"), event)
    for terminal, family in ((pull, "202"), (older, "201")):
        for direction in ("SELL", "BUY"):
            event = traded(world, terminal, f"side-{family}-{direction}", direction)
            report.check(f"{family}: it is said that the confirmation was joined by its order",
                         event.get("inferred") in (True, "1"), event)
            report.check(f"{family}: the terminal traded {direction}", direction in terminal.tickets.values(),
                         terminal.tickets)
    lottery(world, older)
    executor(world)
    publisher(world)


def lottery(world, older):
    """A second EA that PULLs from the same PUSH: nobody is addressed any more, and it is said why."""
    second = OlderPuller(world.context, world.mesh, "family_second_x", 820004, port="ea-commands-older")
    second.start()
    world.terminals.append(second)
    world.until("with a second PULL neither hears commands", lambda: [node(world, one) for one in (older, second)],
                lambda rows: all(row.get("hears_commands") == "no" for row in rows))
    answer = world.until("a fire at one of two that PULL is denied", lambda: world.fire(
        f"lottery-{time.monotonic_ns() % 10**9}", older.user), lambda seen: seen.get("reason") == "node_offline")
    world.report.check("and the denial says what to do", "round robin" in json.dumps(answer), answer)
    world.terminals.remove(second)
    second.telemetry.send_string(second.disconnect_text())
    world.until("when the second has gone the first hears again", lambda: node(world, older),
                lambda row: row.get("hears_commands") == "yes")
    second.close()


def executor(world):
    """7.01: seven charts of one account are one node; results come with the prices."""
    mesh, report = world.mesh, world.report
    charts = []
    stamp = time.strftime("%Y.%m.%d %H:%M:%S", time.gmtime(time.time() + 3 * 3600))
    for symbol in ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD", "USDCAD", "EURJPY", "GBPJPY"):
        socket = world.context.socket(zmq.PUSH)
        socket.linger = 0
        socket.connect(mesh.endpoint("ea-telemetry"))
        socket.send_string('{"type":"status","status":"startup","message":"EA v7.01 initialized with tick streaming",'
                           f'"ea_version":"7.01","account":820007,"server":"Seven-Demo","timestamp":"{stamp}"}}')
        socket.send_string(f'{{"type":"tick","symbol":"{symbol}","bid":1.15548,"ask":1.15561,"spread":13.0,"volume":0,'
                           f'"timestamp":{int(time.time()) + 3 * 3600}}}')
        charts.append(socket)
    row = world.until("seven charts of 7.01 are one node", lambda: mesh.hash("node:EA7_820007_Seven-Demo"),
                      lambda seen: seen.get("family") == "7.01")
    report.check("7.01 is sent no orders, and it is said why",
                 row.get("hears_commands") == "no" and "7.01" in row.get("hears_commands_reason", ""), row)
    charts[3].send_string('{"type":"trade_result","signal_id":"SIG_1","status":"success","ticket":20658628,'
                          '"price":1.16631,"message":"","balance":850.47,"equity":847.26,"margin":21.86,'
                          f'"timestamp":"{stamp}"}}')
    world.until("its trade result, which names nobody, is booked for its account",
                lambda: world.events(ticket=20658628), lambda seen: seen and str(seen[0].get("account")) == "820007")
    for socket in charts:
        socket.close()


def publisher(world):
    """An EA that PUBs its telemetry and its confirmations, beside those that PUSH."""
    terminal = ExpertAdvisor(world.context, world.mesh, "family_pub___x", 820008)
    published = []
    for port in ("ea-telemetry-sub", "ea-confirmations-sub"):
        socket = world.context.socket(zmq.PUB)
        socket.linger = 0
        socket.connect(world.mesh.endpoint(port))
        published.append(socket)
    heard_from(world, terminal, *published)
    for socket in published:
        socket.close()
    terminal.close()


def heard_from(world, terminal, telemetry, confirmations):
    mark = terminal.node.encode()

    def relayed():
        telemetry.send_string(terminal.handshake())
        telemetry.send_string(terminal.tick("EURUSD.r", "1.08490", "1.08500"))
        return sum(mark in frames[0] for frames in world.heard["market-relay"])

    world.until("what an EA PUBs is relayed", relayed, lambda count: count > 0)
    world.until("and registers it", lambda: node(world, terminal), lambda row: row.get("status") == "active")
    ticket = terminal.next_ticket

    def booked():
        confirmations.send_string(terminal.confirmation("fire", "", "success", ticket, "1.0850", "0.10", "by hand"))
        return world.events(ticket=ticket)

    world.until("a confirmation that an EA PUBs is booked", booked, bool)


def published(world):
    terminals = [Subscriber(world.context, world.mesh, f"family_sub_{index}_x", 821000 + index) for index in (1, 2)]
    for terminal in terminals:
        terminal.start()
        world.terminals.append(terminal)
    for number, terminal in enumerate(terminals):
        traded(world, terminal, f"pub-{number}", "BUY")
        world.report.check("the first frame is its UUID, the second the command",
                           [frames[0] for frames in terminal.frames] == [terminal.user.encode()] * len(terminal.frames)
                           and all(len(frames) == 2 for frames in terminal.frames), terminal.frames)


def pushed(world):
    first = Puller(world.context, world.mesh, "family_only__x", 822001)
    first.start()
    world.terminals.append(first)
    traded(world, first, "push-one", "SELL")
    second = Puller(world.context, world.mesh, "family_other_x", 822002)
    second.start()
    world.terminals.append(second)
    world.until("the second is registered", lambda: node(world, second), lambda row: row.get("status") == "active")
    answer = world.until("with two terminals a PUSH refuses to fire", lambda: world.fire(
        f"push-two-{time.monotonic_ns() % 10**9}", first.user), lambda seen: seen.get("reason") == "node_offline")
    world.report.check("and says why", "round robin" in json.dumps(answer), answer)
    world.report.equal("and nothing was sent to either", len(second.commands), 0)


def heard_by_sub(world):
    publisher_ports = ("ea-telemetry", "ea-confirmations")
    terminal = ExpertAdvisor(world.context, world.mesh, "family_pubs__x", 823001)
    sockets = []
    for port in publisher_ports:
        socket = world.context.socket(zmq.PUB)
        socket.linger = 0
        socket.connect(world.mesh.endpoint(port))
        sockets.append(socket)
    heard_from(world, terminal, *sockets)
    for socket in sockets:
        socket.close()
    terminal.close()


def turned_away(world):
    terminal = Puller(world.context, world.mesh, "family_lost__x", 824001)
    terminal.start()
    world.terminals.append(terminal)
    row = world.until("a 2.02 where only a ROUTER is served hears no commands", lambda: node(world, terminal),
                      lambda seen: seen.get("hears_commands") == "no")
    world.report.check("it is said what to add", "PUSH" in row.get("hears_commands_reason", ""), row)
    answer = world.until("a fire at it is node_offline", lambda: world.fire(
        f"lost-{time.monotonic_ns() % 10**9}", terminal.user), lambda seen: seen.get("reason") == "node_offline")
    world.report.check("and the message says why", "PULL" in json.dumps(answer), answer)
    problem = world.until("the mesh names the terminals to restart",
                          lambda: world.mesh.told("handshake-processor", "problems").get("terminals_need_restart", ""),
                          lambda text: terminal.node in text, 15)
    world.report.check("with the address", "127.0.0.1" in problem, problem)
    rejected = world.mesh.told("position-tracker")
    world.report.check("it is counted", rejected.get("peers_turned_away", 0) >= 1, rejected)


def flood(world):
    mesh, report = world.mesh, world.report
    honest = ExpertAdvisor(world.context, mesh, "family_honest_x", 825001)
    loud = ExpertAdvisor(world.context, mesh, "family_loud__x", 825002)
    for terminal in (honest, loud):
        terminal.start()
        world.terminals.append(terminal)
    # Many share the port, so that each is held to its own rate.
    crowd = []
    for _ in range(1000):
        socket = world.context.socket(zmq.PUSH)
        socket.linger = 0
        socket.connect(mesh.endpoint("ea-telemetry"))
        crowd.append(socket)
    world.until("a thousand are connected", lambda: mesh.told("handshake-processor", "gauges").get("connections", 0),
                lambda count: count >= 1002, 15)
    text = loud.tick("EURUSD.r", "1.08490", "1.08500").encode()
    sent = []
    for number in range(30_000):
        loud.telemetry.send(text)
        if number % 300 == 0:
            sent.append(honest.tick("EURUSD.r", f"1.08{number // 300:03d}", f"1.09{number // 300:03d}").encode())
            honest.telemetry.send(sent[-1])
    loud.telemetry.send_string(loud.heartbeat())
    for number in range(100):
        loud.telemetry.send_string(
            f'{{"type":"trade_result","signal_id":"FLOOD_{number}","status":"success","ticket":{900_000 + number},'
            f'"price":1.16631,"message":"","balance":850.47,"equity":847.26,"margin":21.86,{loud._sender()},'
            f'"account":825002,"server":"Outside-Demo","timestamp":"{loud.broker_time()}"}}')
    counters = world.until("its ticks are shed", lambda: mesh.told("handshake-processor"),
                           lambda seen: seen.get("shed_ticks", 0) > 10_000, 10)
    report.equal("bars and heartbeats are not while shedding ticks is enough",
                 (counters.get("shed_bars"), counters.get("shed_heartbeats")), (0, 0))
    world.until("what it said of trades is not shed", lambda: mesh.told("handshake-processor"),
                lambda seen: seen.get("trades_forwarded", 0) == 100, 10)
    world.until("another terminal loses nothing", lambda: {frames[0] for frames in world.heard["market-relay"]},
                lambda heard: heard.issuperset(sent))
    world.until("the node says how much", lambda: mesh.hash(f"node_connections:{loud.node}"),
                lambda row: int(row.get("shed", 0)) > 10_000)
    report.check("the service says how many terminals are over their quota",
                 mesh.told("handshake-processor", "gauges").get("terminals_over_quota") == 1,
                 mesh.told("handshake-processor", "gauges"))
    named = mesh.hash("flooding_terminals")
    report.check("and which", loud.node in named, named)
    for socket in crowd:
        socket.close()
