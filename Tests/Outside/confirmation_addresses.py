"""Who reports trades of a user from where his terminal does not speak is not believed, and nothing of it is lost."""

import json

import zmq

from confirmation_world import own

VICTIM = "outside_victim"
HOME, STRANGER = "127.0.0.3", "127.0.0.2"


def connect(world, kind, name, address):
    """A socket whose connection comes from that address of this machine."""
    socket = world.context.socket(kind)
    socket.linger = 0
    socket.connect(world.mesh.endpoint(name).replace("tcp://", f"tcp://{address}:0;"))
    return socket


def told(ticket, result, profit=None, **more):
    return own(ticket, result, profit, node="NODE_7_7", user=VICTIM, account="7", **more)


def foreign_addresses(world):
    report = world.report
    world.redis("HSET", "terminal_addresses", VICTIM, HOME)
    stranger = connect(world, zmq.DEALER, "ea-receipts", STRANGER)
    home = connect(world, zmq.DEALER, "ea-receipts", HOME)

    def is_known():
        answer = world.ask(stranger, told(9000, "failed", fire_id="outside_probe"))
        return answer and answer["ok"] is False
    world.wait(is_known, 10, "the terminal's address is known to the logger")
    before = (world.statistics(), len(world.stream_ids()))
    answer = world.ask(stranger, told(9001, "order_opened", seq=1))
    report.equal("a stranger's opening is refused, and it is said from where the terminal speaks",
                 (answer["ok"], answer["error"]["code"], HOME in answer["error"]["message"]),
                 (False, "foreign_address", True))
    push = connect(world, zmq.PUSH, "ea-confirmations", STRANGER)
    for ticket in range(9002, 9022):
        push.send(json.dumps(told(ticket, "order_closed", 1000)).encode())
    world.wait(lambda: world.service()["rejected"].get("foreign_address", 0) >= 22, 10, "all of them are counted")
    report.equal("statistics and the hand-over are as they were", (world.statistics(), len(world.stream_ids())), before)
    report.check("the report names the user", VICTIM in str(world.service().get("problems", "")))
    answer = world.ask(home, told(9001, "order_opened", seq=1))
    report.equal("the terminal itself is booked", answer, {"ok": True, "seq": 1, "duplicate": False})

    # Emptied: the decision that they mean nothing stands in the journal. The answer comes before the booking.
    events = before[1] + 1
    world.wait(lambda: len(world.stream_ids()) == events, 10, "it is in the hand-over")
    world.redis("FLUSHALL")
    world.wait(lambda: len(world.stream_ids()) == events, 20, "it is rebuilt from the journal")
    report.equal("a rebuild decides the same", world.number("total_trades", "account:7"), 0)

    # The customer moved: what he said from there before his terminal was heard is taken in.
    world.redis("HSET", "terminal_addresses", VICTIM, HOME)
    world.wait(is_known, 10, "the address is known again")
    push.send(json.dumps(told(9001, "order_closed", 5)).encode())
    world.wait(lambda: world.redis("LLEN", f"held_confirmations:{VICTIM}|{STRANGER}") >= 2, 10, "it is held")
    world.redis("HSET", "terminal_addresses", VICTIM, STRANGER)
    world.wait(lambda: world.number("total_trades", "account:7") == 1, 10, "what was held is taken in")
    report.equal("once, with its money", world.number("gross_profit.EUR@unknown", "account:7"), 500_000_000)
    world.wait(lambda: world.redis("EXISTS", f"held_confirmations:{VICTIM}|{STRANGER}") == 0, 10, "nothing is held")
    report.equal("nor is its sender", world.redis("SMEMBERS", "held_confirmations") or [], [])
    world.redis("DEL", "terminal_addresses")
    for socket in (stranger, home, push):
        socket.close()
