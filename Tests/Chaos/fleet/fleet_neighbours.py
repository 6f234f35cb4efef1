"""Line 3: UUIDs that differ in the last character, which 2.05 cuts: ten users on one routing identity."""

import time

from crowd import Crowd, Remote
from firing import ready
from fleet_mesh import Alerts, Desk, wait
from people import Person
from wire import Link

TITLE = "groups of ten UUIDs that differ in the last character"
NEEDED = ("groups", "commands", "fires", "fires_executed", "delivered", "undeliverable_named", "executed_by_another",
          "cleared")
PORTS = ("ea-telemetry", "ea-commands")
ALONE = 50


def is_fired_at(person):
    """One of each group of ten, another digit in each: his commands are fires, the others' are pings."""
    return person.number % 10 == person.number // 10 % 10


class Neighbours(Crowd):
    """Who is fired at quotes, so that he may be, and tells what he did."""

    def __init__(self, people, endpoints, seed):
        super().__init__(people, endpoints, seed, PORTS)
        self.next_quotes = 0.0
        for person, mine in zip(people, self.links):
            if is_fired_at(person):
                mine["ea-confirmations"] = Link(self.loop, endpoints["ea-confirmations"], b"PUSH")

    def greet(self, number):
        super().greet(number)
        self.tick_on()

    def turn(self, seconds):
        super().turn(seconds)
        self.tick_on()

    def tick_on(self):
        if time.monotonic() >= self.next_quotes:
            self.next_quotes = time.monotonic() + 1
            for number in sorted(self.present):
                if is_fired_at(self.people[number]):
                    self.say(number, "ea-telemetry", self.people[number].tick(), "tick")


def group_people(groups):
    people = []
    for group in range(groups):
        for digit in range(10):
            number = group * 10 + digit
            people.append(
                Person(number, f"neighbour_{group:04d}{digit}", 5_300_000 + number, f"Near-Trade-{group % 5}"))
    # Users with an identity of their own, for comparison.
    return people + [Person(len(people) + index, f"alone_{index:04d}_x", 5_390_000 + index, "Near-Trade-9")
                     for index in range(ALONE)]


def play(line, mesh, dose):
    groups, processes = dose.of((100, 1), (1000, 2))
    mesh.begin()
    people = group_people(groups)
    shared, alone = people[:-ALONE], people[-ALONE:]
    alerts = Alerts(mesh)
    crowds = [Remote(Neighbours, people[place::processes], mesh.addresses(), dose.seed + place)
              for place in range(processes)]
    for crowd in crowds:
        dose.keep(crowd)
    desk = Desk(mesh)
    answers = {}
    # One of each group comes first, and is fired at; the other nine come then.
    early, late_comers = split(people, processes)
    for crowd, numbers in zip(crowds, early):
        crowd.call("open", numbers, dose.of(1.0, 5.0))
    first = list(filter(is_fired_at, people))
    ready(desk, [person.user for person in first], "COMMANDER")
    alone_fires = command_all(desk, first, answers, "first")
    line.none("fires before a second UUID is heard that are not sent", [
        answer for answer in answers.values() if answer.get("state") != "sent"])
    for crowd, numbers in zip(crowds, late_comers):
        crowd.send("open", numbers, dose.of(3.0, 15.0))
    # Half of the commands while they connect: before a second UUID is heard, the first is like any other.
    during = command_all(desk, shared[::2], answers, "during")
    for crowd in crowds:
        crowd.receive(120)
        # Nobody falls silent for as long as this takes: who is not heard is offline, whatever his identity.
        crowd.call("live", heartbeat=20.0)
    wait_heard(mesh, len(people))
    after = command_all(desk, shared[1::2] + alone, answers, "after")
    time.sleep(1.0)
    arrived, foreign = heard(crowds)
    judge_doubt(line, shared, alone, answers, arrived, foreign)
    second = command_all(desk, shared[::2], answers, "doubt")
    time.sleep(1.0)
    doubtful = [f"doubt-{person.number}" for person in shared[::2]]
    late = [name for name in doubtful if name in delivered(heard(crowds)[0])]
    line.none("commands to a shared identity after two UUIDs were heard on it", late)
    unnamed = [name for name in doubtful if answers[name].get("reason") != "identity_conflict"
               or not answers[name].get("message")]
    line.none("undeliverable commands that are not named identity_conflict", unnamed)
    listed = {row.get("user_uuid") for row in conflict_rows(mesh)}
    missing = [person.user for person in shared if person.user not in listed]
    line.none("users of a shared identity that /nodes does not name", missing)
    cleared = clear_one(line, mesh, desk, crowds, people, processes)
    arrived, foreign = heard(crowds)
    line.none("commands executed by another terminal", foreign + misled(people, arrived))
    executed = judge_fires(line, crowds, people, answers)
    fires = sum(is_fired_at(people[number_in(name)]) for name in answers)
    line.check("every tenth command is a fire", fires >= len(answers) // 10, f"{fires} of {len(answers)}")
    named = sum(answer.get("reason") == "identity_conflict" for answer in answers.values())
    sent = sum(sum(crowd.call("counts")["sent"].values()) for crowd in crowds)
    line.none("users of a shared identity without an alert", unalerted(alerts, shared))
    line.note(scale=f"{groups} groups of 10, {ALONE} alone", sent=sent, lost=0 if not missing else len(missing),
              memory_mb=mesh.memory_in_all(), groups=groups, commands=alone_fires + during + after + second + cleared,
              fires=fires, fires_executed=executed, delivered=len(delivered(arrived)), undeliverable_named=named,
              executed_by_another=len(foreign), cleared=cleared, alerts=alerts.types())
    desk.close()
    alerts.close()


def split(people, processes):
    """The places in each crowd of those who are fired at, and of all others."""
    parts = [people[place::processes] for place in range(processes)]
    return [[[index for index, person in enumerate(part) if is_fired_at(person) == wanted] for part in parts]
            for wanted in (True, False)]


def command_all(desk, people, answers, word):
    for person in people:
        name = f"{word}-{person.number}"
        if is_fired_at(person):
            answers[name] = desk.fire(name, person.user)
        else:
            answers[name] = desk.ask(type="ping", user_uuid=person.user, ping_id=name)
    return len(people)


def misled(people, arrived):
    """Commands that came to somebody else than their name says."""
    return [(user, name_of(command)) for user, rows in arrived.items() for _, command in rows
            if "-" in name_of(command) and people[number_in(name_of(command))].user != user]


def number_in(name):
    """Whom a command is for: its name ends with his number."""
    return int(name.rsplit("-", 1)[1])


def judge_fires(line, crowds, people, answers):
    """Each fire that is said to be sent was executed, once, and no other; how many that were."""
    tickets = {}
    for crowd in crowds:
        tickets.update(crowd.call("counts")["executed"])
    sent = {name for name, answer in answers.items()
            if is_fired_at(people[number_in(name)]) and answer.get("state") == "sent"}
    line.equal("fires executed that were not sent, or sent and not executed", sorted(set(tickets) ^ sent), [])
    early = {name for name in sent if name.startswith("first-")}
    line.check("each fire before a second UUID was heard was executed", early and early <= set(tickets),
               sorted(early - set(tickets)))
    return len(tickets)


def wait_heard(mesh, count):
    wait(lambda: mesh.told("position-tracker").get("hellos", 0) >= count, 60, f"{count} HELLOs are heard", pause=0.3)


def heard(crowds):
    arrived, foreign = {}, []
    for crowd in crowds:
        arrived.update(crowd.call("commands"))
        foreign += crowd.call("counts")["foreign"]
    return arrived, foreign


def name_of(command):
    return command.get("ping_id") or command.get("fire_id") or ""


def delivered(arrived):
    return {name_of(command) for rows in arrived.values() for _, command in rows}


def judge_doubt(line, shared, alone, answers, arrived, foreign):
    line.none("commands that another terminal got", foreign)
    reached = delivered(arrived)
    unsent = [name for name, answer in answers.items() if answer.get("state") == "sent" and name not in reached]
    line.none("commands said to be sent that reached nobody", unsent)
    nameless = [name for name, answer in answers.items() if answer.get("state") != "sent" and not answer.get("reason")]
    line.none("commands that were not sent for no reason given", nameless)
    unsaid = [name for name, answer in answers.items() if answer.get("state") != "sent" and name in reached]
    line.none("commands said not to be sent that reached somebody", unsaid)
    lonely = [person.user for person in alone if f"after-{person.number}" not in reached]
    line.none("users with an identity of their own that were not reached", lonely)
    wrong = [answers[f"after-{person.number}"] for person in shared[1::2]
             if answers[f"after-{person.number}"].get("reason") != "identity_conflict"]
    line.none("answers for a shared identity other than identity_conflict", wrong)


def conflict_rows(mesh):
    """Every node with a conflict, as /nodes has it."""
    rows, offset = [], 0
    while True:
        page = mesh.page(f"/nodes?limit=1000&offset={offset}")[1].get("items", [])
        rows += [row for row in page if row.get("identity_conflict")]
        offset += len(page)
        if not page:
            return rows


def unalerted(alerts, shared):
    def missing():
        told = {row.get("user_uuid") for row in alerts.ids("identity_conflict").values()}
        return [person.user for person in shared if person.user not in told]
    try:
        wait(lambda: not missing(), 20, "all are alerted", pause=0.3)
    except TimeoutError:
        pass
    return missing()


def clear_one(line, mesh, desk, crowds, people, processes):
    """Of one group nine leave; the operator clears the tenth, and it is commanded again."""
    group = people[:10]
    for person in group[:9]:
        crowds[person.number % processes].call("drop", [person.number // processes], False)
    last = group[9]
    wait(lambda: desk.ask(type="ping", user_uuid=last.user, ping_id="still").get("reason") == "identity_conflict", 5,
         "still in doubt")
    cleared = desk.ask(type="clear_conflict", user_uuid=last.user, reason="chaos: the others have gone")
    line.check("an operator clears a doubt", cleared.get("ok"), cleared)

    def reached():
        desk.ask(type="ping", user_uuid=last.user, ping_id="cleared-9")
        return "cleared-9" in delivered({last.user: crowds[9 % processes].call("commands").get(last.user, [])})
    try:
        wait(reached, 10, "the cleared one is reached", pause=0.3)
        line.check("who was cleared is reached again, and only he", True)
    except TimeoutError:
        line.check("who was cleared is reached again, and only he", False,
                   desk.ask(type="ping", user_uuid=last.user, ping_id="cleared-9"))
    return int(bool(cleared.get("ok")))
