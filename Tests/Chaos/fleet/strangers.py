"""Strangers who claim what is another's, and honest terminals whose words somebody on the line has kept."""

import json

from crowd import Crowd


class Strangers(Crowd):
    """Each knows one victim: claims it in its own way, and writes down whatever it is told."""

    def prepare(self, victims, tickets, fires, replays):
        """`victims[number]` is the number of the victim; tickets, fires and old frames are by victim."""
        self.victims, self.known, self.fires, self.replays = victims, tickets, fires, replays
        self.got = []
        for number, mine in enumerate(self.links):
            for name in ("ea-commands", "ea-receipts"):
                mine[name].heard = lambda link, frames, who=number, port=name: self.note(who, port, frames)
        self.answers = {}

    def note(self, number, port, frames):
        if port == "ea-commands":
            self.got.append((number, [part[:300] for part in frames]))
            return
        try:
            word = "taken" if json.loads(frames[-1]).get("ok") else "refused"
        except ValueError:
            word = "unreadable"
        self.answers[word] = self.answers.get(word, 0) + 1

    def attack(self, numbers):
        """One round of what strangers do; how many attempts that were."""
        before = sum(self.sent.values())
        for number in numbers:
            person, victim = self.people[number], self.victims[number]
            (self.claims, self.claims_with_node, self.forges, self.replays_frames, self.listens)[number % 5](
                number, person, victim)
            self.loop.turn(0)
        return sum(self.sent.values()) - before

    def claims(self, number, person, _):
        self.greet(number)
        self.say(number, "ea-telemetry", person.tick("1.30000", "1.30010"), "forged tick")

    def claims_with_node(self, number, person, victim):
        own, person.node = person.node, victim.node
        self.say(number, "ea-commands", person.hello(), "forged HELLO")
        self.say(number, "ea-commands", person.command_heartbeat(), "forged HEARTBEAT")
        self.say(number, "ea-telemetry", person.heartbeat(), "forged heartbeat")
        self.say(number, "ea-telemetry", person.disconnect(), "forged DISCONNECT")
        person.node = own

    def forges(self, number, person, victim):
        """Closings and openings of foreign tickets, on both ports, under the victim's node and under its own."""
        ticket, fire = self.known[victim.user], self.fires[victim.user]
        for node in (victim.node, person.node):
            own, person.node = person.node, node
            self.confirm(number, person.closed(ticket), "forged close")
            self.confirm(number, person.opened(fire, ticket + 500_000 + number), "forged opening")
            self.say(number, "ea-receipts", self.own_form(person, ticket, number), "forged receipt")
            person.node = own

    @staticmethod
    def own_form(person, ticket, number):
        return (f'{{"ticket":{ticket},"symbol":"EURUSD","result":"order_closed","type":"buy","volume":0.01,'
                f'"open_price":1.08500,"close_price":1.20000,"profit":9999.00,"account":{person.account},{person.who},'
                f'"server":"{person.server}","currency":"USD","seq":{number + 1}}}').encode()

    def replays_frames(self, number, _, victim):
        for port, text in self.replays[victim.user]:
            self.say(number, port, text, "replayed")

    def listens(self, number, *_):
        """Says nothing: a ROUTER that hands over would send it the next command."""
        self.sent["silent claim"] += 1

    def took(self):
        return self.got, self.answers, dict(self.sent), self.opened()

    def opened(self):
        return sum(bool(link.ready_at) for mine in self.links for link in mine.values())


class Recorded(Crowd):
    """Honest terminals whose words are kept, as somebody on the line could have."""

    def __init__(self, *arguments):
        self.words = {}
        super().__init__(*arguments)

    def say(self, number, port, text, kind):
        super().say(number, port, text, kind)
        if kind in ("hello", "handshake", "open", "close", "HEARTBEAT"):
            kept = self.words.setdefault(self.people[number].user, [])
            if len(kept) < 8:
                kept.append((port, text))

    def record(self):
        return self.words
