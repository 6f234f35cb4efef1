"""Line 4: strangers who know everything of twenty terminals: their names, their tickets, their words of before."""

import time

from crowd import OF_2_05, Remote
from fleet_mesh import Alerts, Desk, wait
from people import Person
from strangers import Recorded, Strangers

TITLE = "strangers claim identities, forge confirmations, replay frames"
NEEDED = ("strangers", "attempts", "commands_to_strangers", "slots_changed", "statistics_changed", "nodes_changed",
          "victims_alerted", "alerts_raised")
HONEST, OWN_ADDRESS = 20, "127.0.0.1"
# What a node tells of itself and is known by: a word of a stranger that is believed shows in one of them.
NODE = ("user_uuid", "account", "server", "peer_address", "balance", "equity", "version", "session_id")


def victim_of(number, honest):
    """Five strangers in a row share a victim, and each of them does something else."""
    return honest[number // 5 % len(honest)]


def is_inside(number):
    """One of twenty sits behind the victim's own address; of those only claims are sent, since nothing tells them apart
    where there is no connection of the victim's to compare with."""
    return number % 20 == 10


def stranger_people(count, honest, random):
    people = []
    for number in range(count):
        victim = victim_of(number, honest)
        inside = is_inside(number)
        outside = f"127.{random.randrange(1, 200)}.{number // 250}.{number % 250 + 1}"
        # Money nobody else has: whatever of it is taken for the victim's can be told.
        person = Person(number, victim.user, victim.account, victim.server,
                        node=f"NODE_{victim.account}_{random.randrange(1 << 32)}",
                        source=OWN_ADDRESS if inside else outside, balance="1.00", equity="1.00")
        people.append(person)
    return people


def play(line, mesh, dose):
    count = dose.of(100, 1000)
    mesh.begin()
    honest = [Person(number, f"honest_{number:03d}_x", 5_400_000 + number, f"Honest-Trade-{number % 2}")
              for number in range(HONEST)]
    alerts = Alerts(mesh)
    crowd = Remote(Recorded, honest, mesh.addresses(), dose.seed)
    dose.keep(crowd)
    crowd.call("open")
    crowd.call("live", rate=HONEST * 2, heartbeat=10.0)
    mesh.wait_active(HONEST, 30)
    desk = Desk(mesh)
    tickets, fires = trade(line, mesh, desk, crowd, honest)
    people = stranger_people(count, honest, dose.random)
    strangers = Remote(Strangers, people, mesh.addresses(), dose.seed + 1, (*OF_2_05, "ea-receipts"))
    dose.keep(strangers)
    victims = [victim_of(number, honest) for number in range(count)]
    strangers.call("prepare", victims, tickets, fires, crowd.call("record"))
    # To the registry a new node at a victim's own address is its restart (docs/fleet.md, Limits): who stands for such a
    # victim is not asked; that he is fenced and told of is.
    beside = {victim_of(number, honest).user for number in range(count) if is_inside(number)}
    before = snapshot(mesh, honest, beside)
    strangers.call("open", None, 2.0, False)
    asked = storm(desk, strangers, honest, count, dose.of(3, 10))
    time.sleep(2)
    settled = mesh.settle(120)
    after = snapshot(mesh, honest, beside)
    got, answers, sent, opened = strangers.call("took")
    line.check("strangers' connections were open", opened > count * 2, opened)
    line.none("commands delivered to a stranger", got)
    changes = {name: different(before[name], after[name]) for name in before}
    for name, found in changes.items():
        line.none(f"{name} changed", found)
    judge_alerts(line, alerts, honest)
    heard = sum(len(rows) for rows in crowd.call("commands").values())
    strangers.call("drop", list(range(count)))
    cleared = heal(line, desk, crowd, honest)
    time.sleep(3)
    mesh.settle(60)
    # What was held back may be taken in after an operator's word: never what strangers said.
    healed = snapshot(mesh, honest, beside)
    for name in before:
        line.none(f"{name} changed after the operator's word", different(before[name], healed[name]))
    fired = fired_again(line, mesh, desk, crowd, honest)
    raised = alerts.ids("identity_conflict")
    line.note(scale=f"{HONEST} honest, {count} strangers", sent=sum(sent.values()), lost=0,
              memory_mb=mesh.memory_in_all(), strangers=count, attempts=sum(sent.values()),
              commands_to_strangers=len(got), slots_changed=len(changes["slots"]),
              statistics_changed=len(changes["statistics"]), nodes_changed=len(changes["nodes"]),
              victims_alerted=len({row.get("user_uuid") for row in raised.values()}), alerts_raised=len(raised),
              alerts=alerts.types(), pings_meanwhile=asked, heard_by_honest=heard, cleared=cleared,
              fired_again=fired, catch_up_s=settled,
              receipts_port=answers,
              attempts_of_each="; ".join(f"{kind} {number}" for kind, number in sorted(sent.items())),
              foreign_address=mesh.told("confirmation-logger", "rejected").get("foreign_address", 0))
    desk.close()
    alerts.close()


def trade(line, mesh, desk, crowd, honest):
    """Each has a position that stays, and one that was closed: slots and statistics to be changed."""
    fires, keeps = {}, {}
    for person in honest:
        desk.ask(type="set_user", user_uuid=person.user, tier="COMMANDER")
    for word in ("closed", "kept"):
        for person in honest:
            answers = []

            def fire(one=person, name=word, seen=answers):
                seen.append(desk.fire(f"{name}-{one.number}-{len(seen)}", one.user, lifetime=20))
                return seen[-1].get("state") == "sent"
            wait(fire, 20, f"{person.user} is fired at; last {answers[-1:]}", pause=0.2)
            fires[person.user] = answers[-1].get("fire_id") or f"{word}-{person.number}-{len(answers) - 1}"
        mesh.settle(30)
        executed = crowd.call("counts")["executed"]
        for person in honest:
            keeps[person.user] = executed[fires[person.user]]
            if word == "closed":
                desk.ask(type="close", user_uuid=person.user, ticket=keeps[person.user])
    mesh.settle(30)
    slots = {}

    def one_each():
        slots.update({person.user: mesh.state.ask("HLEN", f"slots:{person.user}") for person in honest})
        return set(slots.values()) == {1}
    try:
        wait(one_each, 20, "one slot each")
    except TimeoutError:
        line.equal("slots in use before the strangers come", slots, dict.fromkeys(slots, 1))
    line.equal("terminals that hold a position", len(keeps), HONEST)
    return keeps, fires


def snapshot(mesh, honest, beside):
    state = mesh.state
    statistics = {key: {name: text for name, text in state.hash(key).items() if name != "last_updated"}
                  for key in state.keys("stats:*")}
    positions = {key: {name: state.hash(key).get(name) for name in ("state", "fire_id", "lot", "ticket", "profit")}
                 for key in state.keys("position:*")}
    return {"slots": {person.user: state.hash(f"slots:{person.user}") for person in honest},
            "statistics": statistics, "positions": positions,
            "nodes": {person.node: {name: state.hash(f"node:{person.node}").get(name) for name in NODE}
                      for person in honest},
            "believed addresses": {person.user: state.hash("terminal_addresses").get(person.user) for person in honest},
            "ways": {person.user: (state.hash(f"node:{person.node}").get("status"),
                                   state.ask("GET", f"user_node:{person.user}"),
                                   state.ask("GET", f"account_node:{person.server}|{person.account}"))
                     for person in honest if person.user not in beside},
            "fires": {key: state.hash(key).get("state") for key in state.keys("fire:*")}}


def different(before, after):
    return [(key, before.get(key), after.get(key)) for key in sorted({*before, *after})
            if before.get(key) != after.get(key)]


def storm(desk, strangers, honest, count, rounds):
    """Rounds of attempts, with commands to the honest ones all the time."""
    asked = 0
    for number in range(rounds):
        strangers.send("attack", list(range(count)))
        for person in honest:
            desk.ask(type="ping", user_uuid=person.user, ping_id=f"storm-{number}-{person.number}")
            asked += 1
        strangers.receive(120)
        for person in honest:
            desk.ask(type="ping", user_uuid=person.user, ping_id=f"calm-{number}-{person.number}")
            asked += 1
        time.sleep(1.0)
    return asked


def judge_alerts(line, alerts, honest):
    """An alert for each victim. Held confirmations are another matter than a doubtful name, so one of each at most."""
    def victims():
        return {row.get("user_uuid") for row in alerts.ids("identity_conflict").values()}
    try:
        wait(lambda: victims() >= {person.user for person in honest}, 15, "alerts", pause=0.2)
    except TimeoutError:
        pass
    line.none("victims without an alert", sorted({person.user for person in honest} - victims()))
    subjects = [(row.get("user_uuid"), row.get("conflict") == "foreign_confirmations")
                for row in alerts.ids("identity_conflict").values()]
    line.none("alerts beside the first of their kind for a victim",
              sorted({subject for subject in subjects if subjects.count(subject) > 1}))
    strange = [row.get("message") for row in alerts.ids().values() if row.get("type") != "identity_conflict"
               and row.get("severity") != "info"]
    line.none("alerts of anything else", strange)


def heal(line, desk, crowd, honest):
    """The strangers have gone and an operator clears the doubts: every honest terminal is commanded again."""
    crowd.call("commands", True)
    cleared = 0
    for person in honest:
        answer = desk.ask(type="clear_conflict", user_uuid=person.user, reason="chaos: strangers are gone")
        cleared += bool(answer.get("ok"))

    def all_reached():
        for person in honest:
            desk.ask(type="ping", user_uuid=person.user, ping_id=f"healed-{person.number}")
        return len(crowd.call("commands")) == HONEST
    try:
        wait(all_reached, 30, "reached", pause=0.5)
    except TimeoutError:
        pass
    heard = len(crowd.call("commands"))
    line.equal("honest terminals that hear commands again after an operator's word", heard, HONEST)
    return cleared


def fired_again(line, mesh, desk, crowd, honest):
    """And they trade again: each executes a fire; how many did."""
    last, sent = {}, {}

    def all_sent():
        for person in honest:
            if person.user not in sent:
                name = f"again-{person.number}-{len(last)}-{time.monotonic_ns() % 10**9}"
                last[person.user] = desk.fire(name, person.user, lifetime=20)
                if last[person.user].get("state") == "sent":
                    sent[person.user] = name
        return len(sent) == HONEST
    try:
        wait(all_sent, 30, "all are fired at", pause=0.5)
    except TimeoutError:
        pass
    mesh.settle(30)
    executed = crowd.call("counts")["executed"]
    line.equal("honest terminals that execute a fire again after an operator's word",
               sum(name in executed for name in sent.values()), HONEST)
    line.none("why not", [answer for user, answer in last.items() if user not in sent])
    return len(sent)
