"""Terminals that are fired at: they execute, answer, keep what they did, and speak as 2.05 or 2.06H.

They run in a process of their own, which is told by its pipe what to do next.
"""

import time
import zlib
from collections import Counter
from decimal import Decimal

import zmq

from expert_advisor import ExpertAdvisor, money

QUOTE = ("1.08490", "1.08500")
POINT = Decimal("0.25")
# Milliseconds; those who load the ports have 200.
LATE_RECONNECT = 300


class Ends:
    """The ports, as ExpertAdvisor asks for them."""

    def __init__(self, endpoints):
        self.endpoint = endpoints.__getitem__


class Trader(ExpertAdvisor):
    """A terminal with a record: which fires reached it how often, and how many positions it ever held at once."""

    def __init__(self, context, ends, number, is_witness, is_faulty):
        super().__init__(context, ends, trader(number), 6_000_000 + number, server="Chaos-Fire",
                         symbols=("EURUSD",), quotes={"EURUSD": QUOTE})
        self.is_witness, self.is_faulty = is_witness, is_faulty
        self.swallowed, self.unsaid = [], []
        self.arrived, self.most, self.held, self.executed = Counter(), 0, [], {}

    def _socket(self, context, kind, port, identity=None):
        """As every terminal's; to the logger it comes back among the others, not before them: a killed process closes
        its oldest connections first."""
        socket = context.socket(kind)
        socket.linger = 0
        if port == "ea-confirmations":
            socket.setsockopt(zmq.RECONNECT_IVL, LATE_RECONNECT)
        if identity is not None:
            socket.setsockopt(zmq.IDENTITY, identity)
        socket.connect(self.mesh.endpoint(port))
        return socket

    # Open positions bind margin and move the equity: a terminal that says otherwise is flat.

    def _money(self):
        self.equity = self.balance - POINT * len(self.positions)
        return super()._money()

    def _margins(self):
        return f'"free_margin":{money(self.equity)},"margin_level":{"1000.00" if self.positions else "0.00"}'

    def command_heartbeat(self):
        if not self.is_witness:
            return super().command_heartbeat().replace('"margin":0.00', f'"margin":{len(self.positions) * 10}.00')
        rows = ",".join(
            f'{{"ticket":{ticket},"fire_id":"{self.tickets[ticket][:31]}","symbol":"{symbol}",'
            f'"direction":"{"BUY" if is_buy else "SELL"}","open_price":{price},"current_price":{QUOTE[0]},'
            f'"volume":{lot:.2f},"pnl":-{POINT}}}'
            for ticket, (symbol, is_buy, lot, price) in list(self.positions.items())[:10])
        self.equity = self.balance - POINT * len(self.positions)
        # As documented: no node id, the time as an integer.
        return (f'{{"type":"HEARTBEAT","target_uuid":"{self.user}","user_id":"{self.user}","account_login":'
                f'"{self.account}","broker":"{self.server}","balance":{money(self.balance)},"equity":'
                f'{money(self.equity)},"leverage":500,"currency":"USD","ts":{int(time.time()) + self.offset},'
                f'"open_positions":{len(self.positions)},"positions":[{rows}]}}')

    # -- commands

    def execute(self, command):
        if command.get("type") == "fire":
            return self._fire_arrives(command)
        if command.get("type") == "close_all":
            self.balance += self.close_step * len(self.positions)
        return super().execute(command)

    def _fire_arrives(self, command):
        """One of fifty is swallowed by a faulty terminal, the answer of another of fifty is lost."""
        fire_id = command.get("fire_id", "")
        self.arrived[fire_id] += 1
        chance = zlib.crc32(fire_id.encode()) % 50 if self.is_faulty else None
        if chance == 0:
            return self.swallowed.append(fire_id)
        self.executed[fire_id] = self.next_ticket
        if chance == 1:
            self.unsaid.append(fire_id)
        super().execute(command)
        self.most = max(self.most, len(self.positions))

    def confirm(self, text):
        if any(f'"fire_id":"{fire_id}"' in text and '"type":"confirmation"' in text for fire_id in self.unsaid):
            return
        if self.mode == "keep answers":
            self.held.append(text)
        else:
            super().confirm(text)

    def release(self):
        """Says what was kept back; whether anybody hears it is not its business."""
        self.mode = "success"
        for text in self.held:
            self.confirm(text)
        self.held = []

    def take_profit(self):
        """One position reaches its target: 2.06H tells it."""
        ticket, (symbol, is_buy, _, _) = next(iter(self.positions.items()))
        del self.positions[ticket]
        self.balance += Decimal("1.50")
        self.confirm(
            f'{{"type":"position_closed","uuid":"{self.user}","ticket":{ticket},"fire_id":"{self.tickets[ticket]}",'
            f'"symbol":"{symbol}","direction":"{"BUY" if is_buy else "SELL"}","close_price":1.08650,'
            f'"reason":"TP_HIT","profit":1.50,"node_id":"{self.node}","account":{self.account}}}')


def trader(number):
    return f"chaos_trader_{number:04d}x"


def run(pipe, endpoints, numbers, witnesses, heartbeat, faulty):
    """Lives until told to stop. Orders: ("mode", m), ("release",), ("profits", share a second), ("report",),
    ("stop",); each is answered when it is done."""
    context = zmq.Context()
    context.set(zmq.MAX_SOCKETS, 16_000)
    context.setsockopt(zmq.SNDTIMEO, 100)
    ends = Ends(endpoints)
    terminals = [Trader(context, ends, number, number in witnesses, number in faulty) for number in numbers]
    for terminal in terminals:
        terminal.close_step = Decimal("-0.75")
        terminal.start()
        terminal.last_heartbeat = 0
    profits, next_profit = 0.0, time.monotonic()
    while True:
        now = time.monotonic()
        for terminal in terminals:
            if now - terminal.last_heartbeat > heartbeat:
                terminal.last_heartbeat = 0
            terminal.pump()
        if profits and now > next_profit:
            next_profit = now + 1
            chosen = [t for t in terminals if t.is_witness and t.positions]
            for place, terminal in enumerate(chosen):
                if (place + int(now)) % 10 < profits * 10:
                    terminal.take_profit()
        while pipe.poll():
            order, *values = pipe.recv()
            if order == "stop":
                pipe.send("stopped")
                return
            profits = obey(order, values, terminals, pipe, profits)
        time.sleep(max(0.0, 0.02 - (time.monotonic() - now)))


def obey(order, values, terminals, pipe, profits):
    if order == "mode":
        for terminal in terminals:
            terminal.mode = values[0]
    elif order == "release":
        for terminal in terminals:
            terminal.release()
    elif order == "profits":
        profits = values[0]
    elif order == "beat":
        for terminal in terminals:
            terminal.last_heartbeat = 0
    pipe.send({t.user: {"arrived": dict(t.arrived), "most": t.most, "open": sorted(t.positions), "node": t.node,
                        "executed": dict(t.executed), "witness": t.is_witness, "swallowed": len(t.swallowed),
                        "unsaid": len(t.unsaid)}
               for t in terminals} if order == "report" else "done")
    return profits
