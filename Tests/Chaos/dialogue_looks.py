"""What a dialogue looks at: pages, hashes, published events; each is waited for."""

import json

from dialogue_text import fields_of, missing, unmet


class Mismatch(Exception):
    """A step that did not come out as it is written."""


class Looks:
    """The looking half of a player, which has `mesh`, `world`, `terminals` and `substituted`."""

    def until(self, step, observe, accept):
        """Waits until what is seen has nothing to object to; the objection that is left is the failure."""
        seen, elapsed = self.world.look(observe, lambda seen: not accept(seen), step.within)
        if elapsed is None:
            objection = seen if isinstance(seen, Exception) else accept(seen)
            raise Mismatch(f"{objection}; seen {str(seen)[:700]} (for {step.within} s)")
        return seen

    def do_http(self, step):
        path, _, rest = self.substituted(step.rest, self.terminals.get(step.who)).partition(" ")
        conditions = fields_of(rest)
        self.until(step, lambda: {"status_code": self.mesh.http(path)[0], **self.mesh.page(path)[1]},
                   lambda page: "; ".join(unmet(conditions, page)))

    def do_meshctl(self, step):
        """`meshctl CODE WORDS… ~ text`: it ends with this code, and says so."""
        words, _, text = self.substituted(step.rest, self.terminals.get(step.who)).partition(" ~ ")
        code, *arguments = words.split()
        self.until(step, lambda: self.mesh.meshctl(*arguments, timeout=20), lambda seen: "; ".join(
            ([] if seen[0] == int(code) else [f"exit code {seen[0]}, not {code}"])
            + ([] if text in seen[1] else [f"it does not say {text!r}"])))

    def do_redis(self, step):
        key, _, rest = self.substituted(step.rest, self.terminals.get(step.who)).partition(" ")
        if rest == "absent":
            self.until(step, lambda: self.mesh.redis("EXISTS", key), lambda n: "" if n == 0 else "it exists")
        elif rest.startswith("size="):
            self.until(step, lambda: self.size(key), lambda n: "" if n == int(rest[5:]) else f"its size is {n}")
        else:
            conditions = fields_of(rest)
            self.until(step, lambda: self.mesh.hash(key), lambda row: "; ".join(
                unmet(conditions, {name.replace(".", "_"): value for name, value in row.items()})))

    def size(self, key):
        kind = self.mesh.redis("TYPE", key)
        command = {"hash": "HLEN", "set": "SCARD", "zset": "ZCARD", "stream": "XLEN"}.get(kind)
        return self.mesh.redis(command, key) if command else 0

    def events(self, expected):
        users = {terminal.user for terminal in self.terminals.values()}
        return [event for event in self.world.published("trade-events", "TRADE_EVENT")
                if (event.get("user_uuid") in users or "account" in expected) and not missing(expected, event)]

    def do_events(self, step):
        """`events N {subset}`: so many TRADE_EVENTs with these fields were published, and no more."""
        count, _, text = step.rest.partition(" ")
        expected = json.loads(self.substituted(text or "{}", self.terminals.get(step.who)))
        def judge(found):
            return "" if len(found) >= int(count) else f"{len(found)} of {count} were published"
        self.until(step, lambda: self.events(expected), judge)
        self.world.live(0.3)
        found = self.events(expected)
        if len(found) != int(count):
            raise Mismatch(f"{len(found)} were published: {found!r}"[:900])
