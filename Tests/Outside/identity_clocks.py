"""Connections that die in silence, brokers' clocks and queues: chapters of identity_fence.py."""

import json
import socket
import time

import zmq

from identity_intake import connect, counter, handshake as introduction
from identity_money import tick


def silent_peers(fence, handshake, frame):
    """With ZMTP heartbeats on, a peer that answers no more loses its connection, counted; an idle one that answers keeps it."""
    mesh, report = fence.mesh, fence.report
    parts = ("position-tracker", "handshake-processor")
    mesh.environment["MESH_ZMTP_HEARTBEAT_MS"] = "500"
    for part in parts:
        mesh.stop_part(part)
        mesh.start_part(part)
    before = {part: counter(mesh, part, "counters", "heartbeat_disconnects") for part in parts}
    idle = fence.connect("beating_user_0", tick=1, account="9791")
    command = socket.create_connection(("127.0.0.1", mesh.ports["ea-commands"]))
    command.sendall(handshake(b"silenced_user_") + frame(fence.hello("silenced_user_0", "NODE_9792_1", "9792")))
    telemetry = socket.create_connection(("127.0.0.1", mesh.ports["ea-telemetry"]))
    telemetry.sendall(handshake(b"", b"PUSH") + frame(introduction("silenced_user_0", "NODE_9792_1", "9792")))
    # Answers one PING, as libzmq does by itself, and then none.
    command.settimeout(20)
    data, answered = b"", False
    try:
        while not answered:
            data += command.recv(4096)
            place = data.find(b"\x04PING")
            if place >= 0 and len(data) >= place + 7:
                length = data[place - 1]
                context = data[place + 7:place + length]
                command.sendall(bytes([4, 5 + len(context)]) + b"\x04PONG" + context)
                answered = True
    except TimeoutError:
        pass
    report.check("it is asked by PING", answered, data[-60:])
    for name, peer, part in (("command", command, "position-tracker"), ("telemetry", telemetry, "handshake-processor")):
        peer.settimeout(30)
        closed = False
        try:
            while not closed:
                closed = peer.recv(4096) == b""
        except (TimeoutError, ConnectionResetError) as problem:
            closed = isinstance(problem, ConnectionResetError)
        report.check(f"on the {name} port a peer that answers no more loses its connection", closed)
        report.equal("and that is counted, once", fence.until(
            lambda part=part: counter(mesh, part, "counters", "heartbeat_disconnects") - before[part], 1, 15), 1)
        peer.close()
    report.equal("one that only says nothing keeps its own", fence.reason("beating_user_0"), "sent")
    idle.close()
    del mesh.environment["MESH_ZMTP_HEARTBEAT_MS"]
    for part in parts:
        mesh.stop_part(part)
        mesh.start_part(part)


def offsets(fence):
    """Each broker's clock is measured against UTC, and its terminals' times are brought to it."""
    mesh, report = fence.mesh, fence.report
    hours = {"Clock-East": 3, "Clock-West": -5, "Clock-Zero": 0}
    pushes = {}
    for number, server in enumerate(hours):
        node = f"NODE_{9800 + number}_1"
        push = connect(fence, zmq.PUSH, "ea-telemetry", "127.0.0.42")
        push.send(introduction(f"clock_user_{number}", node, str(9800 + number), server))
        pushes[server] = (push, node)

    def shown():
        for server, (push, node) in pushes.items():
            clock = time.gmtime(time.time() + hours[server] * 3600)
            push.send(tick(node, 1.1, timestamp=time.strftime("%Y.%m.%d %H:%M:%S", clock)))
        time.sleep(0.2)
        found = {server: mesh.hash(f"broker:{server}").get("clock_offset_ms") for server in hours}
        # Readings are whole seconds.
        return {server: round(int(text) / 3_600_000, 3) if text else None for server, text in found.items()}

    def near():
        seen = shown()
        return all(seen[server] is not None and abs(seen[server] - hours[server]) < 0.001 for server in hours)
    report.check("the clock of each broker is known to the second", fence.until(near, True, 30), shown())
    for push, _ in pushes.values():
        push.close()


def queues(fence):
    """What waits inside a service is in its report."""
    mesh, report = fence.mesh, fence.report
    for part in mesh.PARTS:
        gauges = json.loads(mesh.hash(f"service:{part}").get("gauges") or "{}")
        report.check(f"{part} tells how much waits in it", isinstance(gauges.get("queue_depth"), int), sorted(gauges))
