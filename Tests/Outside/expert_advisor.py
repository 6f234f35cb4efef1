"""An EA 2.05 written from ea-wire's description alone: what it sends, byte for byte, and what it does when told."""

import datetime
import json
import time
from decimal import Decimal

import zmq

SUCCESS = "Trade executed successfully via DEALER"


def money(value):
    return f"{Decimal(value):.2f}"


class ExpertAdvisor:
    """One terminal. Its sockets belong to the thread that made it; `pump()` lets its time pass."""

    def __init__(self, context, mesh, user, account, server="Outside-Demo", company="Outside Broker Ltd",
                 symbols=("EURUSD.r",), quotes=None, tick_count=None, balance="100000.00", offset=3 * 3600):
        self.mesh, self.user, self.account = mesh, user, account
        self.server, self.company, self.symbols = server, company, list(symbols)
        self.chart = self.symbols[0]
        self.quotes = dict(quotes or {self.chart: ("1.08490", "1.08500")})
        ticks = tick_count if tick_count is not None else int(time.monotonic() * 1000) % 4294967296
        self.node = f"NODE_{account}_{ticks}"
        self.balance = self.equity = Decimal(balance)
        self.offset = offset
        self.ticks_processed = 0
        self.positions, self.tickets = {}, {}
        self.next_ticket = account * 1000 + 1
        self.frames, self.commands, self.sent = [], [], []
        self.mode = "success"
        self.close_step = Decimal(0)
        self.running = True
        self.last_chart = self.last_others = self.last_heartbeat = 0.0
        self.telemetry = self._socket(context, zmq.PUSH, "ea-telemetry")
        self.dealer = self._socket(context, zmq.DEALER, "ea-commands", user[:-1].encode())
        self.confirmations = self._socket(context, zmq.PUSH, "ea-confirmations")

    def _socket(self, context, kind, port, identity=None):
        socket = context.socket(kind)
        socket.linger = 0
        if identity is not None:
            socket.setsockopt(zmq.IDENTITY, identity)
        socket.connect(self.mesh.endpoint(port))
        return socket

    def close(self):
        for socket in (self.telemetry, self.dealer, self.confirmations):
            socket.close()
        self.running = False

    def broker_time(self, ago=0):
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.offset - ago)
        return moment.strftime("%Y.%m.%d %H:%M:%S")

    # -- texts

    def _money(self):
        return f'"currency":"USD","balance":{money(self.balance)},"equity":{money(self.equity)}'

    def _margins(self):
        return f'"free_margin":{money(self.equity)},"margin_level":0.00'

    def _sender(self):
        return f'"node_id":"{self.node}","user_uuid":"{self.user}"'

    def hello(self, ago=0):
        return (f'{{"type":"HELLO","target_uuid":"{self.user}","node_id":"{self.node}","account_login":'
                f'"{self.account}","broker":"{self.server}","company":"{self.company}","terminal":"MetaTrader 5",'
                f'{self._money()},'
                f'"leverage":500,"margin":0.00,{self._margins()},"symbols":{len(self.symbols)},"version":"2.05",'
                f'"timestamp":"{self.broker_time(ago)}"}}')

    def handshake(self, ago=0):
        return (f'{{"type":"handshake","deployment_mode":"universal_dealer",{self._sender()},"account":{self.account},'
                f'"broker":"{self.company}","server":"{self.server}","chart_symbol":"{self.chart}",'
                f'"monitored_symbols":{len(self.symbols)},"symbol_list":"{",".join(self.symbols[:20])}",'
                f'{self._money()},'
                f'"leverage":500,"version":"2.05","socket_type":"DEALER","timestamp":"{self.broker_time(ago)}"}}')

    def heartbeat(self):
        return (f'{{"type":"heartbeat",{self._sender()},"account":{self.account},{self._money()},"leverage":500,'
                f'{self._margins()},"symbols_monitored":{len(self.symbols)},"ticks_processed":{self.ticks_processed},'
                f'"socket_type":"DEALER","timestamp":"{self.broker_time()}"}}')

    def command_heartbeat(self):
        return (f'{{"type":"HEARTBEAT","target_uuid":"{self.user}","node_id":"{self.node}",{self._money()},'
                f'"leverage":500,"margin":0.00,{self._margins()},"ticks_processed":{self.ticks_processed},'
                f'"timestamp":"{self.broker_time()}"}}')

    def tick(self, symbol, bid, ask, ago=0):
        points = int(ask.replace(".", "")) - int(bid.replace(".", ""))
        return (f'{{"type":"TICK",{self._sender()},"symbol":"{symbol}","bid":{bid},"ask":{ask},"spread":{points}.0,'
                f'"volume":0,"timestamp":"{self.broker_time(ago)}"}}')

    def bar(self, symbol):
        start = int(time.time()) // 60 * 60 - 60 + self.offset
        return (f'{{"type":"OHLC",{self._sender()},"symbol":"{symbol}","timeframe":"M1","time":{start},"open":1.08480,'
                f'"high":1.08510,"low":1.08470,"close":1.08490,"timestamp":"{self.broker_time()}"}}')

    def disconnect_text(self):
        return (f'{{"type":"DISCONNECT","deployment_mode":"universal_dealer",{self._sender()},'
                f'"symbols_monitored":{len(self.symbols)},"ticks_processed":{self.ticks_processed},'
                f'"socket_type":"DEALER","timestamp":"{self.broker_time()}"}}')

    def confirmation(self, kind, fire_id, status, ticket, price, lot, message):
        return (f'{{"type":"confirmation","command_type":"{kind}","fire_id":"{fire_id}",{self._sender()},'
                f'"status":"{status}","ticket":{ticket},"price":{Decimal(price):.5f},"lot":{Decimal(lot):.2f},'
                f'"message":"{message}","account":{self.account},{self._money()},{self._margins()},'
                f'"timestamp":"{self.broker_time()}"}}')

    def close_confirmation(self, kind, status, ticket, lot, message):
        return (f'{{"type":"close_confirmation","command_type":"{kind}",{self._sender()},"status":"{status}",'
                f'"ticket":{ticket},"close_price":0.00000,"lot":{Decimal(lot):.2f},"message":"{message}",'
                f'"account":{self.account},{self._money()},{self._margins()},"timestamp":"{self.broker_time()}"}}')

    # -- life

    def start(self):
        self.dealer.send_string(self.hello())
        self.telemetry.send_string(self.handshake())
        self.last_heartbeat = time.monotonic() - 29

    def confirm(self, text):
        self.sent.append(text)
        self.confirmations.send_string(text)

    def quote_chart(self):
        """OnTick: one tick of the chart's symbol, then at most one command is read."""
        self.ticks_processed += 1
        self.telemetry.send_string(self.tick(self.chart, *self.quotes[self.chart]))
        self.read_command()

    def pump(self):
        now = time.monotonic()
        if not self.running:
            return
        if now - self.last_chart >= 0.4:
            self.last_chart = now
            self.quote_chart()
        if now - self.last_others >= 1:
            self.last_others = now
            for symbol, (bid, ask) in self.quotes.items():
                if symbol != self.chart:
                    self.telemetry.send_string(self.tick(symbol, bid, ask))
        if now - self.last_heartbeat >= 30:
            self.last_heartbeat = now
            self.telemetry.send_string(self.heartbeat())
            self.dealer.send_string(self.command_heartbeat())

    def read_command(self):
        try:
            frames = self.dealer.recv_multipart(zmq.DONTWAIT)
        except zmq.Again:
            return
        self.frames.append(frames)
        try:
            command = json.loads(frames[-1][:4096])
        except ValueError:
            return
        self.commands.append(command)
        if self.mode != "hold" and command.get("target_uuid", self.user) == self.user:
            self.execute(command)

    def execute(self, command):
        kind = command.get("type")
        if kind == "fire":
            self._fire(command)
        elif kind == "close_ticket":
            self._close(int(command["ticket"]))
        elif kind == "close_all":
            lots = sum((lot for _, _, lot, _ in self.positions.values()), Decimal(0))
            count = len(self.positions)
            self.positions.clear()
            self.confirm(self.close_confirmation(
                "close_all", "success", 0, lots, f"Closed {count} positions, 0 failed, Total volume: {lots:.2f}"))
        elif kind == "ping":
            self.confirm(f'{{"type":"pong","ping_id":"{command.get("ping_id", "")}",{self._sender()},'
                         f'"timestamp":"{self.broker_time()}"}}')
        else:
            self.confirm(self.confirmation("unknown", "", "failed", 0, 0, 0, f"Unknown command type: {kind}"))

    def _fire(self, command):
        fire_id, symbol, lot = command.get("fire_id", ""), command.get("symbol", ""), command.get("lot", 0)
        lot = Decimal(str(lot))
        if self.mode == "fail":
            return self.confirm(self.confirmation(
                "fire", fire_id, "failed", 0, 0, lot, "Trade execution failed - Error: 4756 Result: 10019"))
        if symbol not in self.quotes:
            return self.confirm(self.confirmation(
                "fire", fire_id, "failed", 0, 0, lot, f"Symbol not available: {symbol}"))
        is_buy = command.get("direction") in ("BUY", "buy")
        price = self.quotes[symbol][1 if is_buy else 0]
        ticket = self.next_ticket
        self.next_ticket += 1
        self.positions[ticket] = (symbol, is_buy, lot, price)
        self.tickets[ticket] = fire_id
        return self.confirm(self.confirmation("fire", fire_id, "success", ticket, price, lot, SUCCESS))

    def _close(self, ticket):
        if ticket not in self.positions:
            return self.confirm(self.close_confirmation("close_ticket", "failed", ticket, 0, "Position not found"))
        _, _, lot, _ = self.positions.pop(ticket)
        self.balance += self.close_step
        self.equity = self.balance
        return self.confirm(self.close_confirmation(
            "close_ticket", "success", ticket, lot, "Position closed successfully"))
