"""Redis emptied under a mesh at rest: everything that has a journal is rebuilt from it, row for row."""

import time

from broken_mesh import wait
from firing import Desk, Traders, ready
from judgement import judge
from ledger_evidence import fire_rows, judge_counts

# What journals rebuild: books, sums and positions; the ledger with its slots, users and indexes.
FAMILIES = ("trade:*", "lifecycle:*", "stats:*", "stats_scopes", "position:*", "user_positions:*", "account_positions:*",
            "all_open_positions", "closed_positions", "fire:*", "fires", "open_fires", "slots:*", "ledger", "user:*",
            "users", "brake")
# When it was written, and figures of quotes, which are of their moment.
MOMENTARY = ("last_updated", "updated_at", "current_price", "current_pnl", "max_profit", "max_loss")
DIGEST = """
    local without, digests = {}, {}
    for _, name in ipairs(ARGV) do without[name] = true end
    for place, key in ipairs(KEYS) do
        local kind, parts = redis.call('TYPE', key).ok, {}
        if kind == 'hash' then
            local row = redis.call('HGETALL', key)
            for index = 1, #row, 2 do
                if not without[row[index]] then parts[#parts + 1] = row[index] .. '\\1' .. row[index + 1] end
            end
        elseif kind == 'set' then
            parts = redis.call('SMEMBERS', key)
        elseif kind == 'zset' then
            local flat = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
            for index = 1, #flat, 2 do parts[#parts + 1] = flat[index] .. '\\1' .. flat[index + 1] end
        end
        table.sort(parts)
        digests[place] = redis.sha1hex(kind .. table.concat(parts, '\\2'))
    end
    return digests"""


def digests(state):
    """The digest of each key that journals rebuild."""
    found = {}
    for pattern in FAMILIES:
        keys = sorted(state.keys(pattern))
        for start in range(0, len(keys), 1000):
            part = keys[start:start + 1000]
            answer = state.ask("EVAL", DIGEST, str(len(part)), *part, *MOMENTARY)
            if isinstance(answer, Exception):
                raise answer
            found.update(zip(part, answer))
    return found


def fire_some(mesh, dose):
    """A ledger worth rebuilding: fires that are filled, closed, rejected and denied. Returns how many were commanded."""
    group, desk = Traders(mesh, range(9000, 9000 + dose.of(8, 40)), heartbeat=5.0), Desk(mesh)
    dose.keep(group)
    ready(desk, group.users)

    def volley(name, mode, users):
        group.tell("mode", mode)
        fires = [f"{name}-{place}" for place, _ in enumerate(users)]
        for fire_id, user in zip(fires, users):
            desk.fire(fire_id, user, 20.0)
        over = {"success": "filled", "fail": "rejected"}[mode]
        wait(lambda: all(mesh.state.hash(f"fire:{fire_id}").get("state") == over for fire_id in fires), 30,
             f"the fires are {over}", pause=0.1)
    volley("kept", "success", group.users)
    volley("refused", "fail", group.users[::2])
    group.tell("mode", "success")
    closed = group.users[::3]
    for user in closed:
        desk.ask(type="close_all", user_uuid=user)
    wait(lambda: not any(group.report()[user]["open"] for user in closed), 30, "some positions are closed", pause=0.1)
    mesh.settle()
    desk.close()
    group.kill()
    return len(group.users) + len(group.users[::2])


def play(line, mesh, load, dose, **judged):
    """FLUSHALL at rest; everything is there again, and every check holds as before."""
    before = digests(mesh.state)
    marks = ledger_mark(mesh)
    # In the background: a million rows take Redis longer than anybody waits for an answer.
    mesh.state.ask("FLUSHALL", "ASYNC")
    began = time.monotonic()
    wait(lambda: ledger_mark(mesh) >= marks, dose.of(120, 1200), "the ledger is back", pause=0.1)
    mesh.settle()
    took = time.monotonic() - began
    desk = Desk(mesh)
    wait(lambda: desk.ask(type="ledger").get("ok"), 60, "the ledger answers", pause=0.2)
    evidence = judge(line, mesh, load, after="rebuilt: ", **judged)
    after = digests(mesh.state)
    different = [(key, key in before, key in after) for key in sorted(before.keys() | after.keys())
                 if before.get(key) != after.get(key)]
    line.none(f"of {len(before)} rows, sums, positions and fires those that are not what they were", different)
    judge_counts(line, desk, fire_rows(mesh.state))
    desk.close()
    spoil(line, mesh)
    line.note(rebuilt_keys=len(after), rebuilt_after_s=took)
    return evidence


def spoil(line, mesh):
    """What Redis says of the ledger is changed by hand: the comparison with the journal names all three."""
    changes = (("HSET", "fire:kept-1", "state"), ("HINCRBY", "ledger", "sent"), ("SADD", "all_open_positions"))
    for words, value in zip(changes, ("rejected", "1", "nowhere|0|1")):
        mesh.state.ask(*words, value)
    code, output = mesh.meshctl("journal", "replay", "--check", "--journal", "ledger", timeout=600)
    for words, value in zip(changes, ("filled", "-1", None)):
        mesh.state.ask(*words, value) if value else mesh.state.ask("SREM", "all_open_positions", "nowhere|0|1")
    named = [word for word in ("fire:kept-1: journal filled, Redis rejected", "ledger sent:", "position:nowhere|0|1")
             if word not in output]
    line.check("meshctl journal replay --check names a fire, a counter and a position that are not the journal's",
               code == 2 and not named, f"exit {code}, without {named}: {output[-900:]}")


def ledger_mark(mesh):
    """Up to which record of the ledger's journal Redis is."""
    marks = mesh.state.hash("ledger:state")
    return max((int(value) for name, value in marks.items() if name.startswith("seq.")), default=0)
