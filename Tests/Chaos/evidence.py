"""What was sent, journaled and applied, each from its own source, and what differs.

Sent is the senders' own record. Journaled is what the journal's bytes say. Applied is the rows of Redis, the stream of
events, and the tracker's positions. Sums are plain Python integers over the rows of trades.
"""

from collections import Counter
from decimal import Decimal

from journal_reader import JournalReader
from terminals import OWN, read_frame, read_row

FIELDS = ("seq", "kind", "canonical_symbol", "account", "server", "currency", "net_profit", "counted",
          "position_profit", "swap", "commission", "orphan", "duration_s")


class Evidence:
    def __init__(self, mesh, load):
        self.mesh, self.load = mesh, load
        self.by_number = {t.number: t for t in load.terminals}
        self.journaled, self.foreign = {}, 0
        self.reader = JournalReader(mesh.journal)
        self._read_journal()
        self.applied, self.sums = {}, {}
        self._read_rows()
        self.compare()

    def _read_journal(self):
        for sequence, _, _, frame in self.reader.frames():
            what = read_frame(frame)
            if what is None or what[0] not in self.by_number:
                self.foreign += 1
                continue
            self.journaled.setdefault(what, []).append(sequence)

    def _read_rows(self):
        for key, row in self.mesh.state.rows(self.mesh.state.keys("trade:*"), FIELDS):
            add(self.sums, dict(zip(FIELDS, row)))
            what = read_row(key)
            if what is not None and what[0] in self.by_number:
                self.applied.setdefault(what, []).append(key)

    def compare(self):
        sent = set()
        for number, (count, *_) in self.load.record.items():
            terminal = self.by_number[number]
            sent.update((number, *terminal.effect(index)) for index in range(count))
        self.sent = len(sent)
        self.lost = sorted(sent - self.journaled.keys())
        self.never_sent = sorted(self.journaled.keys() - sent)
        self.not_applied = sorted(self.journaled.keys() - self.applied.keys())
        self.invented = sorted(self.applied.keys() - self.journaled.keys())
        self.twice = [(what, keys) for what, keys in self.applied.items() if len(keys) > 1]

    def unknown_fires(self):
        """Fires of the ledger whose outcome nobody knows."""
        return unknown_fires(self.mesh.state)

    def lost_of(self, own):
        return [what for what in self.lost if (self.by_number[what[0]].version == OWN) == own]

    def when(self, what):
        number, kind, pair = what
        terminal = self.by_number[number]
        return self.load.moment(number, pair if kind == "failed" else terminal.index(kind, pair))

    # -- ends

    def wrong_ends(self, sample=2000):
        """(rows looked at whose decision is archived, such whose decision is not, those of them whose end is not so)."""
        before = self.mesh.archived()
        rows = sorted((self.reader.decided[min(self.journaled[what])], keys[0]) for what, keys in self.applied.items()
                      if what in self.journaled and min(self.journaled[what]) in self.reader.decided)
        old = [row for row in rows if row[0] <= before]
        young = [row for row in rows if row[0] > before]
        old, young = old[::max(1, len(old) // sample)], young[::max(1, len(young) // sample)]
        ends = self.mesh.state.pipeline([("PTTL", key) for _, key in old + young]) if rows else []
        after = self.mesh.archived()
        wrong = [(key, decision, "archived and without an end", end)
                 for (decision, key), end in zip(old, ends) if end < 0]
        wrong += [(key, decision, "an end before it is archived", end)
                  for (decision, key), end in zip(young, ends[len(old):]) if decision > after and end != -1]
        return len(old), len(young), wrong

    # -- twice

    def streamed_twice(self):
        """Event ids the durable hand-over tells more than once, corrections aside."""
        seen = Counter(fields.get("event_id") for _, fields in self.mesh.state.stream("events:trades")
                       if fields.get("correction") != "1")
        return [name for name, count in seen.items() if count > 1]

    # -- sums

    def wrong_statistics(self):
        """Scopes that are not what the rows of trades add up to, as plain integers of 10^-8."""
        expected, wrong = self.sums, []
        for scope in sorted(expected.keys() | set(self.mesh.state.ask("SMEMBERS", "stats_scopes"))):
            seen = {name: int(value) for name, value in self.mesh.state.hash(f"stats:{scope}").items()
                    if name not in ("last_updated", "has_provisional")}
            other = {name: (seen.get(name), expected.get(scope, {}).get(name))
                     for name in seen.keys() | expected.get(scope, {}).keys()
                     if (seen.get(name) or 0) != expected.get(scope, {}).get(name, 0)}
            if other:
                wrong.append((scope, "seen, expected", other))
        return wrong

    def wrong_accounts(self):
        """Accounts of own-form terminals against what those terminals said, without Redis' rows between."""
        wrong = []
        for terminal in self.load.terminals:
            if terminal.version != OWN:
                continue
            count = self.load.record[terminal.number][0]
            cents = [terminal.cents(pair) for pair in range(count // 2)]
            money = f"{terminal.currency}@{terminal.server}"
            said = [count - count // 2, count // 2, sum(c for c in cents if c > 0) * 1_000_000,
                    -sum(c for c in cents if c < 0) * 1_000_000]
            booked = self.mesh.state.hash(f"stats:account:{terminal.account}")
            seen = [int(booked.get(name, 0)) for name in
                    ("opened", "total_trades", f"gross_profit.{money}", f"gross_loss.{money}")]
            if seen != said:
                wrong.append((terminal.account, "seen, said", seen, said))
        return wrong

    def wrong_positions(self):
        """Positions of own-form terminals as the tracker has them: (how many, those not in their end state)."""
        expected = {}
        for terminal in self.load.terminals:
            if terminal.version != OWN:
                continue
            count = self.load.record[terminal.number][0]
            for pair in range((count + 1) // 2):
                key = f"position:{terminal.server}|{terminal.account}|{terminal.ticket(pair)}"
                expected[key] = ("closed", terminal.cents(pair)) if 2 * pair + 1 < count else ("open", None)
        wrong = []
        for key, (state, profit) in self.mesh.state.rows(expected, ("state", "profit")):
            cents = units(profit) // 1_000_000 if profit and state == "closed" else None
            if (state, cents) != expected[key]:
                wrong.append((key, (state, profit), expected[key]))
        return len(expected), wrong


def unknown_fires(state):
    return [key for key, (word,) in state.rows(state.keys("fire:*"), ("state",)) if word == "unknown"]


def units(decimal):
    return int(Decimal(decimal).scaleb(8))


def add(scopes, row):
    """Adds one row as docs/contract.md, section 4, describes statistics."""
    currency = row["currency"].upper() if row["currency"].isalnum() else "unknown"
    names = [("global", currency)]
    if row["canonical_symbol"]:
        names.append((f"symbol:{row['canonical_symbol']}", currency))
    if row["account"]:
        names.append((f"account:{row['account']}", f"{currency}@{row['server'] or 'unknown'}"))
    counts, money, largest = Counter(), Counter(), {}
    simple = {"opened": "opened", "failed": "failed", "close_failed": "close_failed",
              "unknown_command": "unknown_commands"}
    if row["kind"] in simple:
        counts[simple[row["kind"]]] += 1
    elif row["kind"] == "closed":
        closing(row, counts, money, largest)
    else:
        counts["unresolved_closes"] += 1
    if row["orphan"] == "1":
        counts["orphans"] += 1
    for scope, suffix in names:
        sums = scopes.setdefault(scope, Counter())
        sums.update(counts)
        for name, amount in money.items():
            sums[f"{name}.{suffix}"] += amount
        for name, amount in largest.items():
            sums[f"{name}.{suffix}"] = max(sums[f"{name}.{suffix}"], amount)


def closing(row, counts, money, largest):
    net = units(row["net_profit"]) if row["net_profit"] else 0
    if net:
        money["gross_profit" if net > 0 else "gross_loss"] += abs(net)
    for name in ("swap", "commission"):
        if row[name] and units(row[name]):
            money[name] += units(row[name])
    if row["counted"] != "1":
        return
    profit = units(row["position_profit"]) if row["position_profit"] else None
    outcome = ("unknown_profit" if profit is None else
               "wins" if profit > 0 else "losses" if profit < 0 else "breakeven")
    for name in ("total_trades", outcome):
        counts[name] += 1
        money[name] += 1
    if row["duration_s"]:
        money["total_duration_s"] += int(row["duration_s"])
        money["timed_trades"] += 1
    if profit:
        name = "largest_win" if profit > 0 else "largest_loss"
        largest[name] = abs(profit)
