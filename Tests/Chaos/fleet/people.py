"""Terminals of a fleet in the texts of 2.05, byte for byte as ea-wire has them; who they are is given by hand.

What was sent is counted where it is sent; a text carries the number it is known by.
"""

import time
from dataclasses import dataclass

OPENED, CLOSED = "Trade executed successfully via DEALER", "Position closed successfully"


@dataclass
class Person:
    """One terminal: its user, its account, its broker, and by how much the broker's clock is ahead of UTC."""

    number: int
    user: str
    account: int
    server: str = "Fleet-Trade-0"
    company: str = "Fleet Broker Ltd"
    version: str = "2.05"
    ahead: int = 3 * 3600
    node: str = ""
    chart: str = "EURUSD"
    source: str | None = None
    ticks: int = 0
    balance: str = "100000.00"
    equity: str = "99999.00"

    def __post_init__(self):
        # Started at some moment of a machine's run: GetTickCount.
        self.node = self.node or f"NODE_{self.account}_{(self.number * 2654435761) % 4294967296}"

    @property
    def identity(self):
        """2.05 cuts the last character."""
        return self.user[:-1].encode()

    def restarted(self):
        """The same terminal after a restart of its EA: a new node."""
        self.node = f"NODE_{self.account}_{(int(self.node.rsplit('_', 1)[1]) + 60_000) % 4294967296}"

    def stamp(self, ago=0.0):
        moment = time.gmtime(time.time() + self.ahead - ago)
        return time.strftime("%Y.%m.%d %H:%M:%S", moment)

    # -- texts

    MARGINS = '"free_margin":99899.00,"margin_level":1000.00'

    @property
    def money(self):
        return f'"currency":"USD","balance":{self.balance},"equity":{self.equity}'

    @property
    def who(self):
        return f'"node_id":"{self.node}","user_uuid":"{self.user}"'

    def hello(self):
        return (f'{{"type":"HELLO","target_uuid":"{self.user}","node_id":"{self.node}","account_login":'
                f'"{self.account}","broker":"{self.server}","company":"{self.company}","terminal":"MetaTrader 5",'
                f'{self.money},"leverage":500,"margin":100.00,{self.MARGINS},"symbols":1,"version":"{self.version}",'
                f'"timestamp":"{self.stamp()}"}}').encode()

    def handshake(self):
        return (f'{{"type":"handshake","deployment_mode":"universal_dealer",{self.who},"account":{self.account},'
                f'"broker":"{self.company}","server":"{self.server}","chart_symbol":"{self.chart}",'
                f'"monitored_symbols":1,"symbol_list":"{self.chart}",{self.money},"leverage":500,'
                f'"version":"{self.version}","socket_type":"DEALER","timestamp":"{self.stamp()}"}}').encode()

    def heartbeat(self):
        return (f'{{"type":"heartbeat",{self.who},"account":{self.account},{self.money},"leverage":500,{self.MARGINS},'
                f'"symbols_monitored":1,"ticks_processed":{self.ticks},"socket_type":"DEALER",'
                f'"timestamp":"{self.stamp()}"}}').encode()

    def command_heartbeat(self):
        return (f'{{"type":"HEARTBEAT","target_uuid":"{self.user}","node_id":"{self.node}",{self.money},"leverage":500,'
                f'"margin":100.00,{self.MARGINS},"ticks_processed":{self.ticks},'
                f'"timestamp":"{self.stamp()}"}}').encode()

    def tick(self, bid="1.08490", ask="1.08500", volume=0, ago=0.0):
        self.ticks += 1
        return (f'{{"type":"TICK",{self.who},"symbol":"{self.chart}","bid":{bid},"ask":{ask},"spread":10.0,'
                f'"volume":{volume},"timestamp":"{self.stamp(ago)}"}}').encode()

    def disconnect(self):
        return (f'{{"type":"DISCONNECT","deployment_mode":"universal_dealer",{self.who},"symbols_monitored":1,'
                f'"ticks_processed":{self.ticks},"socket_type":"DEALER","timestamp":"{self.stamp()}"}}').encode()

    def opened(self, fire_id, ticket, lot="0.01", price="1.08500"):
        return (f'{{"type":"confirmation","command_type":"fire","fire_id":"{fire_id}",{self.who},"status":"success",'
                f'"ticket":{ticket},"price":{price},"lot":{lot},"message":"{OPENED}","account":{self.account},'
                f'{self.money},{self.MARGINS},"timestamp":"{self.stamp()}"}}').encode()

    def closed(self, ticket, lot="0.01"):
        return (f'{{"type":"close_confirmation","command_type":"close_ticket",{self.who},"status":"success",'
                f'"ticket":{ticket},"close_price":0.00000,"lot":{lot},"message":"{CLOSED}","account":{self.account},'
                f'{self.money},{self.MARGINS},"timestamp":"{self.stamp()}"}}').encode()

    def pong(self, ping_id):
        return f'{{"type":"pong","ping_id":"{ping_id}",{self.who},"timestamp":"{self.stamp()}"}}'.encode()
