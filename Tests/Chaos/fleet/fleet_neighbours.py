"""Line 3: UUIDs that differ in the last character, which 2.05 cuts: ten users on one routing identity."""

import time

from crowd import Crowd, Remote
from fleet_mesh import Alerts, Desk, wait
from people import Person

TITLE = "groups of ten UUIDs that differ in the last character"
NEEDED = ("groups", "commands", "delivered", "undeliverable_named", "executed_by_another", "cleared")
PORTS = ("ea-telemetry", "ea-commands")
ALONE = 50


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
    crowds = [Remote(Crowd, people[place::processes], mesh.addresses(), dose.seed + place, PORTS)
              for place in range(processes)]
    for crowd in crowds:
        dose.keep(crowd)
        crowd.send("open", None, dose.of(3.0, 15.0))
    desk = Desk(mesh)
    answers = {}
    # Half of the commands while they connect: before a second UUID is heard, the first is like any other.
    during = ping_all(desk, shared[::2], answers, "during")
    for crowd in crowds:
        crowd.receive(120)
    wait_heard(mesh, len(people))
    after = ping_all(desk, shared[1::2] + alone, answers, "after")
    time.sleep(1.0)
    arrived, foreign = heard(crowds)
    judge_doubt(line, shared, alone, answers, arrived, foreign)
    second = ping_all(desk, shared[::2], answers, "doubt")
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
    line.none("commands executed by another terminal", foreign)
    named = sum(answer.get("reason") == "identity_conflict" for answer in answers.values())
    sent = sum(sum(crowd.call("counts")["sent"].values()) for crowd in crowds)
    line.none("users of a shared identity without an alert", unalerted(alerts, shared))
    line.note(scale=f"{groups} groups of 10, {ALONE} alone", sent=sent, lost=0 if not missing else len(missing),
              memory_mb=mesh.memory_in_all(), groups=groups, commands=during + after + second + cleared,
              delivered=len(delivered(arrived)), undeliverable_named=named, executed_by_another=len(foreign),
              cleared=cleared, alerts=alerts.types())
    desk.close()
    alerts.close()


def ping_all(desk, people, answers, word):
    for person in people:
        name = f"{word}-{person.number}"
        answers[name] = desk.ask(type="ping", user_uuid=person.user, ping_id=name)
    return len(people)


def wait_heard(mesh, count):
    wait(lambda: mesh.told("position-tracker").get("hellos", 0) >= count, 60, f"{count} HELLOs are heard", pause=0.3)


def heard(crowds):
    arrived, foreign = {}, []
    for crowd in crowds:
        arrived.update(crowd.call("commands"))
        foreign += crowd.call("counts")["foreign"]
    return arrived, foreign


def delivered(arrived):
    return {command.get("ping_id") for rows in arrived.values() for _, command in rows}


def judge_doubt(line, shared, alone, answers, arrived, foreign):
    line.none("commands that another terminal got", foreign)
    reached = delivered(arrived)
    unsent = [name for name, answer in answers.items() if answer.get("state") == "sent" and name not in reached]
    line.none("commands said to be sent that reached nobody", unsent)
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
