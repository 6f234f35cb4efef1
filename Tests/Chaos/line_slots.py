"""Line 7: users with three slots, openers that race for them, the tracker and Redis killed meanwhile."""

import time

import openers
from broken_mesh import REDIS, wait
from firing import FORK, Desk, Traders, ready
from ledger_evidence import ACCOUNTED, fire_rows, judge_counts, judge_journals, told_of_fires
from operator_desk import answer_questions, lift_brake
from state import State

TITLE = "slots under racing openers, tracker and Redis killed"
SLOTS = 3
# Seconds between the two kills of a pair.
PAIR_APART = 3.0


def play(line, mesh, dose):
    users, racing, attempts = dose.of((50, 10, 3000), (1000, 200, 300_000))
    rate, lifetime = dose.of(250, 600), dose.of(5.0, 10.0)
    mesh.begin()
    group = Traders(mesh, range(users), heartbeat=dose.of(3.0, 15.0), processes=dose.of(1, 3),
                    # Without a witness a lost answer becomes a question, which takes a minute.
                    faulty=dose.of("witnesses", "everybody"))
    dose.keep(group)
    desk = Desk(mesh)
    ready(desk, group.users, within=dose.of(30, 120))
    group.tell("profits", 0.5)
    race = Race(mesh, group.users, racing, attempts, rate, dose, lifetime)
    dose.keep(race)
    worst, brakes = break_it(mesh, dose, race, desk, group.users, attempts / rate)
    made, seconds, counts = race.finish()
    brakes += lift_brake(desk)
    time.sleep(lifetime + 2)
    settled = mesh.settle()
    asked = close_all(mesh, desk, group, dose.of(120, 300))
    judge(line, mesh, desk, group, worst)
    line.equal("every attempt was answered or asked again until it was", made, attempts)
    line.check("most users' slots were fought for", counts.get("denied no_slot", 0) > attempts // 10, counts)
    by_name = [name for _, name, _ in mesh.kills]
    line.note(kills=len(mesh.kills), catch_up_s=settled, memory_mb=mesh.memory_text(), attempts=made, users=users,
              openers=racing, rate=made / seconds, tracker_kills=by_name.count("position-tracker"),
              redis_kills=by_name.count(REDIS), questions_answered=asked, brakes_lifted=brakes,
              answers="; ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    desk.close()
    group.kill()


class Race:
    def __init__(self, mesh, users, racing, attempts, rate, dose, lifetime):
        count = dose.of(1, 2)
        self.workers = []
        for place in range(count):
            ours, theirs = FORK.Pipe()
            worker = FORK.Process(target=openers.run, daemon=True, args=(
                theirs, mesh.endpoint("orders"), users, racing // count, attempts // count, rate / count,
                dose.seed % 1000 + place, lifetime))
            worker.start()
            self.workers.append((worker, ours))

    @property
    def is_over(self):
        return all(pipe.poll() for _, pipe in self.workers)

    def finish(self):
        made, longest, counts = 0, 0.0, {}
        for worker, pipe in self.workers:
            if not pipe.poll(300):
                raise TimeoutError("the openers do not come to their end")
            part, seconds, answers = pipe.recv()
            made, longest = made + part, max(longest, seconds)
            for name, count in answers.items():
                counts[name] = counts.get(name, 0) + count
            worker.join(10)
        return made, longest, counts

    def kill(self):
        for worker, _ in self.workers:
            if worker.is_alive():
                worker.kill()
                worker.join(5)


def break_it(mesh, dose, race, desk, users, seconds):
    """Kills spread over the time of the race, two and two: what ends three times in a row within 10 s of its start is
    paused by the supervisor. Returns (the most slots or positions a user ever had in the books, brakes)."""
    faults = ["position-tracker"] * dose.of(3, 50) + [REDIS] * dose.of(1, 10)
    dose.random.shuffle(faults)
    began, worst, brakes = time.monotonic(), 0, 0
    times = [seconds * (number - number % 2 + 0.7) / (len(faults) + 0.5) + number % 2 * PAIR_APART
             for number in range(len(faults))]
    watch = State(mesh.ports["state"], timeout=2.0)
    while faults or not race.is_over:
        if faults and time.monotonic() - began >= times[-len(faults)]:
            mesh.kill(faults.pop(0))
            wait(mesh.state.answers, 60, "Redis answers")
        worst = max(worst, most_in_books(watch, users))
        brakes += lift_brake(desk)
        time.sleep(0.2)
    watch.close()
    return worst, brakes


def most_in_books(state, users):
    try:
        answers = state.pipeline([command for user in users for command in
                                  (("HLEN", f"slots:{user}"), ("SCARD", f"user_positions:{user}"))])
    except (OSError, EOFError):
        return 0
    return max((count for count in answers if isinstance(count, int)), default=0)


def close_all(mesh, desk, group, within):
    """Everything ends: targets are reached, the rest is closed by order; the operator answers what he is asked.
    Returns how many questions that were."""
    group.tell("profits", 1.0)
    asked, deadline, next_order = 0, time.monotonic() + within, 0.0
    while time.monotonic() < deadline:
        rows = group.report()
        asked += answer_questions(desk, rows)
        if time.monotonic() > next_order:
            next_order = time.monotonic() + 5
            for user, row in rows.items():
                if row["open"] and not row["witness"]:
                    desk.ask(type="close_all", user_uuid=user)
        used = sum(mesh.state.ask("HLEN", f"slots:{user}") for user in rows)
        if not any(row["open"] for row in rows.values()) and used == 0:
            break
        time.sleep(0.5)
    return asked


def judge(line, mesh, desk, group, worst):
    rows = group.report()
    fires = fire_rows(mesh.state)
    arrived = {fire_id: count for row in rows.values() for fire_id, count in row["arrived"].items()}
    executed = {fire_id for row in rows.values() for fire_id in row["executed"]}
    above = [(user, row["most"]) for user, row in rows.items() if row["most"] > SLOTS]
    line.none("users with more open positions than slots, at their terminals", above)
    line.check(f"in the books never more than {SLOTS} slots or positions of a user", 0 < worst <= SLOTS, worst)
    twice = [(fire_id, count) for fire_id, count in arrived.items() if count > 1]
    line.none("fires that reached a terminal twice", twice)
    line.none("traders that still hold positions", [(user, row["open"]) for user, row in rows.items() if row["open"]])
    leaked = {user: mesh.state.hash(f"slots:{user}") for user in rows}
    leaked = {user: [(fire_id, fires.get(fire_id)) for fire_id in held] for user, held in leaked.items() if held}
    line.check("leaked slots after reconciliation 0", not leaked,
               f"{sum(map(len, leaked.values()))}: {list(leaked.items())[:4]}")
    wrong = [(fire_id, fires.get(fire_id)) for fire_id in executed if fires.get(fire_id, [""])[0] != "filled"]
    line.none("fires that were executed and are not booked as filled", wrong)
    ghosts = [fire_id for fire_id, (state, _) in fires.items() if state == "filled" and fire_id not in executed]
    line.none("fires booked as filled that no terminal executed", ghosts)
    uncounted = [fire_id for fire_id in arrived
                 if fires.get(fire_id, [""])[0] not in (*ACCOUNTED, "sent", "acknowledged", "unknown")]
    line.none("fires that reached a terminal and are not commanded in the ledger", uncounted)
    unknown = [fire_id for fire_id, (state, _) in fires.items()
               if state in ("sent", "unknown", "acknowledged", "sending")]
    opened, failed = told_of_fires(mesh.journal)
    untold = [(fire_id, state) for fire_id, (state, _) in fires.items()
              if (state == "filled" and fire_id not in opened) or (state == "rejected" and fire_id not in failed)]
    line.none("fires booked as filled or rejected that the journal says nothing of", untold)
    unbooked = [(fire_id, fires.get(fire_id)) for fire_id in opened if fires.get(fire_id, [""])[0] != "filled"]
    line.none("fires that the journal has as opened and that are not filled", unbooked)
    counts = judge_counts(line, desk, fires)
    judge_journals(line, mesh)
    line.note(swallowed=sum(row["swallowed"] for row in rows.values()),
              answers_lost=sum(row["unsaid"] for row in rows.values()))
    line.note(sent=counts.get("sent", 0), journaled=len((opened | failed) & fires.keys()),
              applied=sum(state in ACCOUNTED for state, _ in fires.values()),
              lost=len(wrong) + len(unbooked), double=len(twice), unknown=len(unknown),
              leaked=sum(map(len, leaked.values())), arrived=len(arrived),
              never_executed=sum(state == "never_executed" for state, _ in fires.values()))
