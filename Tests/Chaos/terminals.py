"""What terminals say, byte for byte: versions 2.05, 2.02, 2.01 on `ea-confirmations`, the own form on `ea-receipts`.

Each terminal's messages follow from the seed, its number and their order alone, so that the record of a sender is a
count, and anybody can say what should be where.
"""

import re

OWN, V205, V202, V201 = "own", "2.05", "2.02", "2.01"
STAMP = "2026.01.05 10:00:00"
SPAN = 1_000_000
MESSAGE = {V205: "Trade executed successfully via DEALER", V202: "Trade executed successfully",
           V201: "Trade executed successfully"}
SYMBOLS = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD")
TICKET = re.compile(rb'"ticket":(\d+)')
FIRE = re.compile(rb'"fire_id":"lost-(\d+)-(\d+)"')
TRADE = re.compile(r"trade:[^|]*\|(\d+)\|(\d+)\|(opened|closed)")
FAILED = re.compile(r"trade:[^|]*\|lost-(\d+)-(\d+)$")


def mixed(*numbers):
    """A number below 2^32 that follows from these."""
    value = 0x9E3779B97F4A7C15
    for number in numbers:
        value = (value ^ number) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        value ^= value >> 29
    return value & 0xFFFFFFFF


class Terminal:
    def __init__(self, number, version, seed):
        self.number, self.version, self.seed = number, version, seed
        self.user = f"chaos_user_{number:05d}x"
        self.account = 5_000_000 + number
        self.node = f"NODE_{self.account}_{mixed(seed, number)}"
        self.server = f"Chaos-Trade-{number % 5}"
        self.currency = ("USD", "EUR")[number % 2]
        # In cents, after so many messages; they are made in their order.
        self._balance, self._told = 10_000_000, 0

    def cents(self, pair):
        """What the pair's closing earns; a round zero among them."""
        return 0 if pair % 50 == 49 else mixed(self.seed, self.number, pair) % 20_001 - 10_000

    def effect(self, index):
        """(kind, pair) of the message with this index; 2.01 knows no closing, 2.05 also tells failures."""
        if self.version == V201:
            return "opened", index
        if self.version == V205 and index % 20 >= 18:
            return "failed", index
        return ("opened", "closed")[index % 2], index // 2

    def index(self, kind, pair):
        return pair if self.version == V201 else 2 * pair + (kind == "closed")

    def ticket(self, pair):
        return self.number * SPAN + pair + 1

    def message(self, index):
        kind, pair = self.effect(index)
        who = f'"node_id":"{self.node}","user_uuid":"{self.user}"'
        if self.version == OWN:
            return self._own(kind, pair, index + 1, who).encode()
        return self._published(kind, pair, index, who).encode()

    def _own(self, kind, pair, seq, who):
        close = f'"close_price":1.09000,"profit":{text(self.cents(pair))},"close_time":"{STAMP}",'
        return (f'{{"ticket":{self.ticket(pair)},"symbol":"{SYMBOLS[pair % 4]}","result":"order_{kind}","type":"buy",'
                f'"volume":0.10,"open_price":1.08500,{close if kind == "closed" else ""}"account":{self.account},{who},'
                f'"server":"{self.server}","currency":"{self.currency}","seq":{seq}}}')

    def _published(self, kind, pair, index, who):
        money = self._figures(self._balance_after(index))
        if self.version == V205:
            money = f'"currency":"{self.currency}",{money}'
        tail = f'"account":{self.account},{money},"timestamp":"{STAMP}"}}'
        ticket = self.ticket(pair)
        if kind == "closed":
            return (f'{{"type":"close_confirmation","command_type":"close_ticket",{who},"status":"success",'
                    f'"ticket":{ticket},"close_price":0.00000,"lot":0.10,"message":"Position closed successfully",'
                    f'{tail}')
        if kind == "failed":
            return (f'{{"type":"confirmation","command_type":"fire","fire_id":"lost-{self.number}-{index}",{who},'
                    f'"status":"failed","ticket":0,"price":0.00000,"lot":0.10,'
                    f'"message":"Trade execution failed - Error: 4756 Result: 10019",{tail}')
        said = f'"ticket":{ticket},"price":1.08500,"lot":0.10,"message":"{MESSAGE[self.version]}",{tail}'
        if self.version == V201:
            return f'{{"type":"confirmation",{who},"symbol":"{SYMBOLS[pair % 4]}","status":"success",{said}'
        fire = f'"fire_id":"chaos-{self.number}-{index}",' if self.version == V205 else ""
        return f'{{"type":"confirmation","command_type":"fire",{fire}{who},"status":"success",{said}'

    def _balance_after(self, index):
        while self._told <= index:
            kind, pair = self.effect(self._told)
            self._balance += self.cents(pair) if kind == "closed" else 0
            self._told += 1
        return self._balance

    @staticmethod
    def _figures(balance):
        """An account with something open: a terminal whose equity is its balance says that it is flat."""
        return (f'"balance":{text(balance)},"equity":{text(balance - 100)},"free_margin":{text(balance - 10_100)},'
                '"margin_level":1000.00')

    def handshake(self):
        more = ""
        if self.version in (V205, OWN):
            more = f'"currency":"{self.currency}","leverage":500,"socket_type":"DEALER",'
        version = V205 if self.version == OWN else self.version
        return (f'{{"type":"handshake","deployment_mode":"universal","node_id":"{self.node}","user_uuid":"{self.user}",'
                f'"account":{self.account},"broker":"Chaos Ltd","server":"{self.server}","chart_symbol":"EURUSD",'
                f'"monitored_symbols":4,"symbol_list":"{",".join(SYMBOLS)}",{more}"balance":100000.00,'
                f'"equity":99999.00,"version":"{version}","timestamp":"{STAMP}"}}').encode()

    def heartbeat(self):
        return (f'{{"type":"heartbeat","node_id":"{self.node}","user_uuid":"{self.user}","account":{self.account},'
                f'{self._figures(self._balance)},'
                f'"symbols_monitored":4,"ticks_processed":1,"timestamp":"{STAMP}"}}').encode()


def text(cents):
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def fleet(count, share_own, seed):
    """Versions of `count` terminals: a share speaks the own form, of the others half 2.05, a quarter 2.02 and 2.01."""
    versions, rest, owed = [], 0, 0.0
    for _ in range(count):
        owed += share_own
        if owed >= 1:
            owed -= 1
            versions.append(OWN)
        else:
            versions.append((V205, V202, V205, V201)[rest % 4])
            rest += 1
    return [Terminal(number, version, seed) for number, version in enumerate(versions)]


def read_frame(frame):
    """(terminal number, kind, pair) of a journaled frame, None where it is none of these terminals' confirmations."""
    if match := FIRE.search(frame):
        return int(match[1]), "failed", int(match[2])
    match = TICKET.search(frame)
    if not match:
        return None
    number, pair = divmod(int(match[1]) - 1, SPAN)
    is_closing = b'"close_confirmation"' in frame or b'"order_closed"' in frame
    return number, "closed" if is_closing else "opened", pair


def read_row(key):
    """The same of a booked row's key."""
    if match := FAILED.match(key):
        return int(match[1]), "failed", int(match[2])
    match = TRADE.match(key)
    if not match:
        return None
    number, pair = divmod(int(match[2]) - 1, SPAN)
    return number, match[3], pair
