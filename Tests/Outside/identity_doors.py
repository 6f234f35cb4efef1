"""Doors that were open to a stranger who prepared himself: chapters of identity_fence.py."""

import json
import os
import socket
import time

import zmq

from identity_intake import connect, counter, own_form


def other_broker(fence):
    """A trade somebody told of at a broker where the login is nobody's opens no account of that login elsewhere."""
    mesh, report = fence.mesh, fence.report
    owner, user, ticket, elsewhere = "bound_user_2", "stranger_user_4", 779_200, "Nowhere-Demo"
    fence.ask(fence.desk, type="set_user", user_uuid=owner, tier="RECRUIT", account="9764", server="Fence-Demo")
    fence.until(lambda: mesh.redis("HGET", "bound_accounts", "Fence-Demo|9764"), owner, 15)
    stranger = connect(fence, zmq.DEALER, "ea-receipts", "127.0.0.38")

    def tell(kind, server):
        stranger.send(own_form(ticket, kind, user, account="9764", server=server))

    def life(name):
        return mesh.hash(f"lifecycle:{user}|9764|{ticket}").get(name)

    def booked():
        return mesh.hash("stats:account:9764"), mesh.redis("XLEN", "events:trades")

    def refused():
        return counter(mesh, "confirmation-logger", "rejected", "foreign_claim")
    tell("order_opened", elsewhere)
    report.equal("a trade where the login is nobody's is an orphan", fence.until(
        lambda: life("server"), elsewhere, 20), elsewhere)
    before, already = booked(), refused()
    tell("order_closed", "Fence-Demo")
    report.equal("its closing at the bound account is refused", fence.until(refused, already + 1, 20), already + 1)
    report.equal("and moves no money", booked(), before)
    tell("order_closed", elsewhere)
    report.equal("where it was opened it ends", fence.until(lambda: life("closed"), "1", 20), "1")
    fence.ask(fence.desk, type="remove_user", user_uuid=owner)
    stranger.close()


def resident_megabytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as rows:
        return next(int(row.split()[1]) for row in rows if row.startswith("VmRSS:")) / 1024


def first_word(fence, handshake, frame):
    """position-tracker starts while Redis is away: whoever speaks first is not the terminal for it."""
    mesh, report = fence.mesh, fence.report
    home, elsewhere = "127.0.0.43", "127.0.0.44"
    accounts = {"first_word_0": "9791", "first_bound_0": "9792"}
    fence.ask(fence.desk, type="set_user", user_uuid="first_bound_0", tier="RECRUIT", addresses=home)
    own = [fence.connect(user, home, tick=5, account=account) for user, account in accounts.items()]

    def believed():
        return [mesh.redis("HGET", "terminal_addresses", user) for user in accounts]
    report.equal("both are believed at home", fence.until(believed, [home, home], 20), [home, home])
    for user in accounts:
        key = f"terminal_identity:NODE_{accounts[user]}_5"
        fence.until(lambda key=key: mesh.hash(key).get("user_uuid"), user, 15)
    for terminal in own:
        terminal.close()
    mesh.stop_part("position-tracker")
    mesh.stop_part("redis")
    mesh.run_part("position-tracker")
    fence.until(lambda: mesh.listens(mesh.ports["ea-commands"]), True, 30)
    strangers = [fence.connect(user, elsewhere, tick=6, account=account) for user, account in accounts.items()]
    # One that says all it has at once, without waiting for a greeting.
    hasty = socket.create_connection(("127.0.0.1", mesh.ports["ea-commands"]), source_address=(home, 0))
    hasty.sendall(handshake(b"first_hasty_") + frame(fence.hello("first_hasty_0", "NODE_9794_1", "9794")))
    endless = socket.create_connection(("127.0.0.1", mesh.ports["ea-commands"]), source_address=(elsewhere, 0))
    endless.sendall(bytes(20_000))
    endless.settimeout(20)
    try:
        cut = endless.recv(1) == b""
    except (TimeoutError, ConnectionResetError) as problem:
        cut = isinstance(problem, ConnectionResetError)
    report.check("who says more than a handshake before he is greeted is cut", cut)
    pid = mesh.processes["position-tracker"].pid
    before = resident_megabytes(pid)
    for _ in range(1_500):
        with socket.create_connection(("127.0.0.1", mesh.ports["ea-commands"])) as peer:
            peer.sendall(b"\xff" + bytes(8) + b"\x7f")
    time.sleep(2)
    grown = resident_megabytes(pid) - before
    report.check("1,500 connections that come and go before anybody is heard cost less than 15 MB", grown < 15, grown)
    print(f"        {grown:.1f} MB more", flush=True)
    mesh.start_redis()
    for part in mesh.PARTS:
        key, pid = f"service:{part}", mesh.processes[part].pid
        fence.until(lambda key=key: int(mesh.hash(key).get("pid", 0)), pid, 30)
    report.equal("who spoke before he was greeted is heard then", fence.until(
        lambda: fence.reason("first_hasty_0"), "sent", 30), "sent")
    hasty.close()
    endless.close()
    own = [fence.connect(user, home, tick=7, account=account) for user, account in accounts.items()]
    report.equal("whom an operator bound is served at home", fence.until(
        lambda: fence.reason("first_bound_0"), "sent", 30), "sent")
    report.equal("who was only known there is in doubt", fence.until(
        lambda: fence.reason("first_word_0"), "identity_conflict", 15), "identity_conflict")
    # The whole list is looked through every five seconds.
    time.sleep(6)
    report.equal("both are believed where they were", believed(), [home, home])
    report.equal("commands that reached a stranger", [fence.read(peer, 200) for peer in strangers], [[], []])
    report.check("and the bound one's reached it", len(fence.read(own[1])) > 0)
    for peer in strangers:
        peer.close()
    fence.ask(fence.desk, type="clear_conflict", user_uuid="first_word_0", reason="the stranger is gone")
    own[0].send(fence.hello("first_word_0", "NODE_9791_7", "9791"))
    report.equal("with the stranger gone and the doubt ended it is served too", fence.until(
        lambda: fence.reason("first_word_0"), "sent", 20), "sent")
    for peer in own:
        peer.close()


def receipts_door(fence):
    """One address opens connections to ea-receipts without end: it gets its share, and others are answered."""
    mesh, report, part = fence.mesh, fence.report, "confirmation-logger"
    mesh.stop_part(part)
    # 300 descriptors: less than half of a quarter of them is one address's.
    mesh.processes[part] = mesh._run(
        ["/bin/sh", "-c", 'ulimit -n 300; exec "$0" "$@"', os.path.join(mesh.products, part), "--config", mesh.config,
         "--redis", f"redis://127.0.0.1:{mesh.ports['state']}", "--log-level", "error"])
    fence.until(lambda: int(mesh.hash(f"service:{part}").get("pid", 0)) == mesh.processes[part].pid
                and mesh.listens(mesh.ports["ea-receipts"]), True, 30)
    crowd = []
    for _ in range(120):
        peer = socket.create_connection(("127.0.0.1", mesh.ports["ea-receipts"]), source_address=("127.0.0.45", 0))
        peer.setblocking(False)
        crowd.append(peer)

    def hung_up():
        over = 0
        for peer in crowd:
            try:
                while greeting := peer.recv(4096):
                    del greeting
                over += 1
            except BlockingIOError:
                pass
            except ConnectionResetError:
                over += 1
        return over
    report.check("of 120 connections of one address most are turned away", fence.until(
        lambda: 80 <= hung_up() < 120, True, 20), hung_up())
    report.check("that is counted", fence.until(
        lambda: counter(mesh, part, "counters", "connections_refused_address") >= 80, True, 10),
        mesh.hash(f"service:{part}").get("counters"))
    report.check("and said", fence.until(
        lambda: "connections of an address are refused" in mesh.hash(f"service:{part}").get("problems", ""), True, 10),
        mesh.hash(f"service:{part}"))
    other = connect(fence, zmq.DEALER, "ea-receipts", "127.0.0.46")
    other.send(own_form(779_300, "order_opened", "receipts_user_0", account="9793"))
    report.check("another address is answered", other.poll(10_000) and json.loads(other.recv_multipart()[-1]).get("ok"))
    for peer in crowd:
        peer.close()
    report.check("with its connections gone it is let in again", fence.until(lambda: greeted(mesh), True, 20))
    other.close()
    mesh.stop_part(part)
    mesh.start_part(part)


def greeted(mesh):
    """Whether libzmq greets a connection of that address and leaves it open."""
    with socket.create_connection(("127.0.0.1", mesh.ports["ea-receipts"]), source_address=("127.0.0.45", 0)) as peer:
        peer.settimeout(1)
        try:
            peer.sendall(b"\xff" + bytes(8) + b"\x7f")
            while data := peer.recv(4096):
                del data
            return False
        except TimeoutError:
            return True
        except OSError:
            return False
