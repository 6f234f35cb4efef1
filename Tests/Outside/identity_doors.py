"""Doors that were open to a stranger who prepared himself: chapters of identity_fence.py."""

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


def first_word(fence):
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
        fence.until(lambda user=user: mesh.hash(f"terminal_identity:NODE_{accounts[user]}_5").get("user_uuid"), user, 15)
    for terminal in own:
        terminal.close()
    mesh.stop_part("position-tracker")
    mesh.stop_part("redis")
    mesh.run_part("position-tracker")
    fence.until(lambda: mesh.listens(mesh.ports["ea-commands"]), True, 30)
    strangers = [fence.connect(user, elsewhere, tick=6, account=account) for user, account in accounts.items()]
    time.sleep(2)
    mesh.start_redis()
    for part in mesh.PARTS:
        fence.until(lambda part=part: int(mesh.hash(f"service:{part}").get("pid", 0)) == mesh.processes[part].pid, True, 30)
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
