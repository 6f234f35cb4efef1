"""EAs of every family for a day side by side: what each says, hears and leaves out, as ea-wire has it."""

import json
import time
from decimal import ROUND_HALF_UP, Decimal

import zmq

from expert_advisor import ExpertAdvisor
from family_world import OlderPuller, Puller
from traders import Trader

__all__ = ["Dealer", "Hybrid", "Pull202", "Pull201", "Executor", "Own"]


class Dealer(ExpertAdvisor):
    """2.05."""

    FAMILY, HEARS = "2.05", "yes"


class Hybrid(Trader):
    """2.06H: its positions are in its heartbeats, and what stop and target do is told."""

    FAMILY, HEARS = "2.06H", "yes"

    def __init__(self, context, mesh, user, account, **more):
        del more
        super().__init__(context, mesh, account - 6_000_000, True, False)
        self.user = user
        self.dealer.close()
        self.dealer = self._socket(context, zmq.DEALER, "ea-commands", user[:-1].encode())
        self.close_step = Decimal("-0.75")

    def hello(self, ago=0):
        return super().hello(ago).replace('"version":"2.05"', '"version":"2.06H"')

    def handshake(self, ago=0):
        return super().handshake(ago).replace('"version":"2.05"', '"version":"2.06H"')

    def _fire(self, command):
        """Three tickets for one fire, of which the first is told: where the frame has exactly the words it looks for."""
        if b'"hybrid":{"enabled":true' not in self.frames[-1][-1]:
            return super()._fire(command)
        hundredth, lot = Decimal("0.01"), Decimal(str(command["lot"]))
        quarter = (lot / 4).quantize(hundredth, ROUND_HALF_UP)
        first, price, fire_id = self.next_ticket, self.quotes[command["symbol"]][1], command["fire_id"]
        for part, suffix in ((quarter, "_P1"), (quarter, "_P2"), ((lot - 2 * quarter).quantize(hundredth), "_TRAIL")):
            self.positions[self.next_ticket] = (command["symbol"], command["direction"] == "BUY", part, price)
            self.tickets[self.next_ticket] = (fire_id + suffix)[:31]
            self.next_ticket += 1
        return self.confirm(self.confirmation(
            "fire", fire_id, "success", first, price, lot, "HYBRID: 3/3 positions opened"))


class Pull202(Puller):
    """2.02, which closes what it is told to, and names no fire."""

    FAMILY, HEARS = "2.02", "yes"

    def close_confirmation(self, kind, status, ticket, lot, message):
        return super().close_confirmation(kind, status, ticket, lot, message).replace('"currency":"USD",', "")

    def _fire(self, command):
        ticket = self.next_ticket
        super()._fire(command)
        lot = Decimal(str(command.get("lot", 0)))
        self.positions[ticket] = (command["symbol"], self.tickets[ticket] == "BUY", lot, 0)


class Pull201(OlderPuller):
    """2.01, which knows no command but `fire`."""

    FAMILY, HEARS = "2.01", "yes"
    is_flat = False

    def execute(self, command):
        if command.get("type") == "fire":
            self._fire(command)

    def flat(self):
        """A heartbeat of an account that holds nothing; what it held has earned something."""
        if not self.is_flat:
            self.is_flat, self.balance = True, self.balance + Decimal("12.50")
        self.telemetry.send_string(
            f'{{"type":"heartbeat",{self._sender()},"account":{self.account},"balance":{self.balance:.2f},"equity":'
            f'{self.balance:.2f},"free_margin":{self.balance:.2f},"margin_level":0.00,"symbols_monitored":1,'
            f'"ticks_processed":{self.ticks_processed},"timestamp":"{self.broker_time()}"}}')


class Own(ExpertAdvisor):
    """The own form: each confirmation is answered on `ea-receipts`, numbered, with its symbol and its profit."""

    FAMILY, HEARS = "own", "yes"

    def __init__(self, context, mesh, user, account, **more):
        super().__init__(context, mesh, user, account, **more)
        self.receipts = self._socket(context, zmq.DEALER, "ea-receipts")
        self.seq, self.answers = 0, []

    def close(self):
        self.receipts.close()
        super().close()

    def handshake(self, ago=0):
        return super().handshake(ago).replace('"version":"2.05"', '"version":"own"')

    def hello(self, ago=0):
        return super().hello(ago).replace('"version":"2.05"', '"version":"own"')

    def pump(self):
        super().pump()
        while self.running:
            try:
                self.answers.append(json.loads(self.receipts.recv_multipart(zmq.DONTWAIT)[-1]))
            except zmq.Again:
                return

    def tell(self, kind, ticket, symbol, lot, fire_id, more=""):
        self.seq += 1
        self.receipts.send_string(
            f'{{"ticket":{ticket},"symbol":"{symbol}","result":"order_{kind}","type":"buy","volume":{lot:.2f},'
            f'"open_price":1.08500,{more}"account":{self.account},{self._sender()},"server":"{self.server}",'
            f'"currency":"USD","fire_id":"{fire_id}","seq":{self.seq}}}')

    def _fire(self, command):
        lot, ticket = Decimal(str(command.get("lot", 0))), self.next_ticket
        self.next_ticket += 1
        self.positions[ticket] = (command["symbol"], True, lot, "1.08500")
        self.tickets[ticket] = command["fire_id"]
        self.tell("opened", ticket, command["symbol"], lot, command["fire_id"])

    def _close(self, ticket):
        symbol, _, lot, _ = self.positions.pop(ticket)
        self.tell("closed", ticket, symbol, lot, self.tickets[ticket],
                  f'"close_price":1.09000,"profit":12.50,"close_time":"{self.broker_time()}",')


class Executor:
    """7.01: seven charts of one account, each a terminal of its own on the wire, none of which says who it is."""

    FAMILY, HEARS = "7.01", "no"
    CHARTS = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD", "USDCAD", "EURJPY", "GBPJPY")

    def __init__(self, context, mesh, account, server="Seven-Demo"):
        self.account, self.server = account, server
        self.node = f"EA7_{account}_{server}"
        self.charts = []
        for _ in self.CHARTS:
            socket = context.socket(zmq.PUSH)
            socket.linger = 0
            socket.connect(mesh.endpoint("ea-telemetry"))
            self.charts.append(socket)
        self.sent = 0

    @staticmethod
    def stamp():
        return time.strftime("%Y.%m.%d %H:%M:%S", time.gmtime(time.time() + 3 * 3600))

    def start(self):
        for symbol, socket in zip(self.CHARTS, self.charts):
            socket.send_string(
                '{"type":"status","status":"startup","message":"EA v7.01 initialized with tick streaming",'
                f'"ea_version":"7.01","account":{self.account},"server":"{self.server}","timestamp":"{self.stamp()}"}}')
            self.tick(symbol, socket)

    def tick(self, symbol, socket):
        self.sent += 1
        socket.send_string(f'{{"type":"tick","symbol":"{symbol}","bid":1.15548,"ask":1.15561,"spread":13.0,"volume":0,'
                           f'"timestamp":{int(time.time()) + 3 * 3600}}}')

    def result(self, ticket):
        self.charts[3].send_string(
            f'{{"type":"trade_result","signal_id":"SIG_{ticket}","status":"success","ticket":{ticket},"price":1.16631,'
            f'"message":"","balance":850.47,"equity":847.26,"margin":21.86,"timestamp":"{self.stamp()}"}}')

    def close(self):
        for socket in self.charts:
            socket.close()
