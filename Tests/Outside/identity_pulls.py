"""Whose PULL it is: a listener for one terminal that PULLs (2.02), with strangers beside it, tried from outside.

A PULL says nothing, so that its address is all there is to judge it by; `source` binds a socket to one of loopback's.
"""

import json
import os
import socket
import time

import zmq

from family_world import Puller
from private_mesh import free_port

USER, HOME, ELSEWHERE = "pulled_alice_x", "127.0.0.31", "127.0.0.32"
PORT = "ea-commands-alice"


def with_listener(base):
    """A mesh of the given kind that has a PUSH for that user."""
    class PullMesh(base):
        def __init__(self, products):
            super().__init__(products)
            self.ports[PORT] = free_port(set(self.ports.values()))
            with open(os.path.join(self.directory, "ports.yaml"), "a", encoding="utf-8") as file:
                file.write(f"  - {{ port: {self.ports[PORT]}, name: {PORT}, serves: ea-commands, "
                           f'service: position-tracker, socket: PUSH, user: "{USER}" }}\n')
    return PullMesh


class Alice(Puller):
    """2.02 at an address of its own, whose command socket comes and goes."""

    def __init__(self, context, mesh, tick=1):
        super().__init__(context, mesh, USER, 7_100_001, port=PORT, server="Pull-Demo", tick_count=tick)
        self.context = context
        self.hang_up()

    def _socket(self, context, kind, port, identity=None):
        del identity
        return bound(context, zmq.PULL if kind == zmq.DEALER else kind,
                     self.mesh, self.port if kind == zmq.DEALER else port, HOME)

    def dial(self):
        self.dealer = bound(self.context, zmq.PULL, self.mesh, PORT, HOME)

    def hang_up(self):
        self.dealer.close()
        self.dealer = bound(self.context, zmq.PULL, self.mesh, None, HOME)


def bound(context, kind, mesh, port, source):
    made = context.socket(kind)
    made.linger = 0
    if port:
        made.connect(mesh.endpoint(port).replace("//", f"//{source}:0;"))
    return made


def half_open(mesh, source, handshake):
    """A PULL that shook hands and on which nobody answers any more."""
    made = socket.socket()
    made.bind((source, 0))
    made.connect(("127.0.0.1", mesh.ports[PORT]))
    made.sendall(handshake(b"", b"PULL"))
    return made


class Watch:
    def __init__(self, fence, alice):
        self.fence, self.report, self.alice, self.fires = fence, fence.report, alice, 0
        self.strangers = []

    def stranger(self, source=ELSEWHERE):
        made = bound(self.fence.context, zmq.PULL, self.fence.mesh, PORT, source)
        self.strangers.append(made)
        return made

    def reason(self):
        """What a fire at her is answered; the fire is hers alone, and answered by her."""
        self.alice.pump()
        self.fires += 1
        answer = self.fence.ask(self.fence.desk, type="fire", fire_id=f"pull-{self.fires}", user_uuid=USER,
                                symbol="EURUSD", direction="BUY", sl=1.08, lot=0.01)
        self.said = str(answer.get("message"))
        return answer.get("reason") or answer.get("state") or str(answer)

    def until(self, title, wanted, within=10):
        end = time.monotonic() + within
        while (seen := self.reason()) != wanted and time.monotonic() < end:
            self.live(0.1)
        self.report.equal(title, seen, wanted)

    def live(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.alice.pump()
            time.sleep(0.02)

    def got(self):
        """Commands she got since it was asked last."""
        self.live(0.9)
        commands, self.alice.commands[:] = list(self.alice.commands), []
        return [command["type"] for command in commands]

    def leaked(self):
        return [json.loads(made.recv()) for made in self.strangers if not made.closed and made.poll(100)]

    def doubt(self):
        return self.fence.node(USER).get("identity_conflict")


def pulls(fence, handshake):
    mesh, report = fence.mesh, fence.report
    alice = Alice(fence.context, mesh)
    alice.start()
    watch = Watch(fence, alice)
    fence.ask(fence.desk, type="set_user", user_uuid=USER, tier="COMMANDER")
    watch.until("with her telemetry alone she is not there", "node_offline")
    seen = fence.until(lambda: (watch.reason(), "no PULL" in watch.said), ("node_offline", True), 10)
    report.equal("and it is said what is missing", seen, ("node_offline", True))
    watch.stranger()
    watch.until("a stranger's PULL in her place makes her doubtful", "identity_conflict")
    report.check("with both addresses in words", HOME in watch.said and ELSEWHERE in watch.said, watch.said)
    report.equal("the registry names the doubt", fence.until(watch.doubt, "two_addresses", 10), "two_addresses")
    report.equal("it is told once", fence.events("conflict", USER), 1)
    report.equal("the stranger has got nothing", watch.leaked(), [])
    alice.dial()
    watch.until("her own PULL is served beside the stranger's", "sent")
    report.check("the command reached her", "fire" in watch.got(), alice.commands)
    report.equal("and not the stranger", watch.leaked(), [])
    spoken_for(watch)
    silent = [socket.create_connection(("127.0.0.1", mesh.ports[PORT])) for _ in range(20)]
    silent[0].sendall(b"GET / HTTP/1.1\r\n\r\n")
    time.sleep(0.3)
    watch.until("connections that never shake hands are nobody", "sent")
    report.check("and she gets hers", "fire" in watch.got(), alice.commands)
    twin = watch.stranger(HOME)
    time.sleep(0.5)
    watch.got()
    watch.until("a second PULL from her own address can't be told from hers", "identity_conflict")
    report.check("and it is said so", "several" in watch.said, watch.said)
    watch.live(8)
    report.equal("neither of them got anything meanwhile", (watch.got(), watch.leaked()), ([], []))
    twin.close()
    watch.until("with the second one gone she is served again", "sent")
    report.check("and gets her command", "fire" in watch.got(), alice.commands)
    restarted(watch, handshake)
    after_our_restart(watch)
    for made in silent + watch.strangers + [alice]:
        made.close()


def spoken_for(watch):
    """A stranger speaks in her name on the ROUTER, where a 2.02 never does."""
    fence = watch.fence
    stranger = fence.dealer("pulled_stranger", ELSEWHERE)
    for _ in range(3):
        stranger.send_string(json.dumps({"type": "HEARTBEAT", "target_uuid": USER}))
        watch.live(0.3)
    stranger.send(fence.hello(USER, watch.alice.node))
    watch.live(0.5)
    watch.until("with a stranger speaking in her name on the ROUTER she is served as before", "sent")
    watch.report.check("her command goes to her own PULL", "fire" in watch.got(), watch.alice.commands)
    watch.report.equal("and nothing to the stranger", stranger.poll(300), 0)
    stranger.close()


def restarted(watch, handshake):
    """Her old connection is half open: nobody answers on it."""
    watch.alice.hang_up()
    half = half_open(watch.fence.mesh, HOME, handshake)
    time.sleep(0.5)
    watch.alice.dial()
    began = time.monotonic()
    end = began + 30
    while "fire" not in watch.got() and time.monotonic() < end:
        watch.reason()
    took = time.monotonic() - began
    watch.report.check("restarted behind a half-open connection she is served within 25 s", took <= 25, f"{took:.1f} s")
    print(f"        served after {took:.1f} s", flush=True)
    half.close()


def after_our_restart(watch):
    watch.alice.hang_up()
    mesh = watch.fence.mesh
    mesh.stop_part("position-tracker")
    mesh.start_part("position-tracker")
    watch.until("after a restart of ours the stranger who is back first gets nothing", "identity_conflict", 15)
    watch.live(1)
    watch.report.equal("really nothing", watch.leaked(), [])
    watch.alice.dial()
    watch.until("and she is served as before", "sent")
    watch.report.check("with her command", "fire" in watch.got(), watch.alice.commands)
