"""What line 2 owes to those who fire: answers that fell into the logger's death on `ea-confirmations` are listed as
unknown within 90 s, and resolved where a witness exists. Nothing falls into it while its connections outlive it, so the
process that holds them dies with it here."""

import json
import os
import signal
import time

from broken_mesh import wait
from firing import Desk, Traders, ready
from journal_reader import JournalReader
from operator_desk import lift_brake

LISTED_WITHIN = 90.0


def play(line, mesh, dose):
    count = dose.of(6, 40)
    group = Traders(mesh, range(count), heartbeat=dose.of(2.0, 30.0))
    desk = Desk(mesh)
    dose.keep(group)
    # Volleys that were not executed may have set it: with it in force nobody is ready.
    lift_brake(desk)
    ready(desk, group.users)
    group.tell("mode", "keep answers")
    fires = {f"silent-{number}": user for number, user in enumerate(group.users)}
    # Over before a witness may speak: the next heartbeats of the full dose come 30 s after these.
    lifetime = dose.of(6.0, 20.0)
    group.tell("beat")
    states = [desk.fire(fire_id, user, lifetime).get("state") for fire_id, user in fires.items()]
    line.equal("the fires leave", set(states), {"sent"})
    wait(lambda: all(row["executed"] for row in group.report().values()), 20, "the terminals execute them")
    # Stopped, it takes nothing more; what its kernel holds goes with it.
    os.kill(mesh.wait_pid("confirmation-logger"), signal.SIGSTOP)
    group.tell("release")
    time.sleep(0.3)
    mesh.kill_holder()
    began = mesh.kill("confirmation-logger")
    mesh.wait_pid("confirmation-logger")
    witnesses = {user for user, row in group.report().items() if row["witness"]}
    seen = follow(mesh, fires, witnesses, began, dose.of(60.0, 180.0))
    fell = lost(mesh, fires)
    # Nothing that fell in is no proof of anything.
    line.check("answers fell into the death of logger and holder, some with a witness and some without",
               len(fell) > len(fires) // 2 and len({fires[fire_id] in witnesses for fire_id in fell}) == 2,
               (len(fell), len(fires)))
    # A witness that speaks at the deadline resolves it before it is seen as unknown.
    unlisted = [(fire_id, seen[fire_id]) for fire_id in fell
                if min(seen[fire_id].get(one, 1e9) for one in ("unknown", "filled")) > LISTED_WITHIN]
    line.none("fires whose answer fell in that are neither listed as unknown nor resolved within 90 s", unlisted)
    line.none("of those without a witness not listed as unknown within 90 s",
              [f for f in fell if fires[f] not in witnesses and seen[f].get("unknown", 1e9) > LISTED_WITHIN])
    movers = {fire_id: last_mover(mesh, fire_id) for fire_id in fell if fires[fire_id] in witnesses}
    unresolved = [(fire_id, mover) for fire_id, mover in movers.items()
                  if "filled" not in seen[fire_id] or not mover.startswith("witness ")]
    line.none("of those with a witness not resolved by it", unresolved)
    kept = [fire_id for fire_id in fell if fires[fire_id] not in witnesses]
    hidden = [fire_id for fire_id in kept if state(mesh, fire_id) not in ("unknown", "filled")]
    line.none("of those without a witness neither unknown and visible nor filled", hidden)
    unknown = {fire_id for fire_id in kept if state(mesh, fire_id) == "unknown"}
    line.none("unknown ones that /fires does not list", unlisted_by_page(mesh, unknown))
    ledger = desk.ask(type="ledger")
    still = sum(state(mesh, fire_id) == "unknown" for fire_id in fires)
    line.check("the ledger's count says how many are unaccounted", ledger.get("unaccounted") == still,
               (ledger, still))
    desk.close()
    group.kill()
    return {"fell_by_design": len(fell), "fell_with_witness": sum(fires[f] in witnesses for f in fell),
            "fell_resolved": sum("filled" in seen[f] for f in fell), "fell_still_unknown": still,
            "fell_listed_after_s": max((seen[f].get("unknown", 0.0) for f in fell), default=0.0)}


def state(mesh, fire_id):
    return mesh.state.hash(f"fire:{fire_id}").get("state")


def unlisted_by_page(mesh, unknown):
    """The page reads the ledger about once a second."""
    missing = set(unknown)

    def all_shown():
        missing.clear()
        missing.update(unknown - {item.get("fire_id") for item in mesh.items("/fires?state=unknown&limit=1000")})
        return not missing
    try:
        wait(all_shown, 30, "/fires lists them", pause=0.2)
    except TimeoutError:
        pass
    return sorted(missing)


def last_mover(mesh, fire_id):
    """Who moved it last, as its timeline says: `witness positions: filled`."""
    steps = json.loads(mesh.state.hash(f"fire:{fire_id}").get("timeline") or "[]")
    return steps[-1]["by"] if steps else ""


def follow(mesh, fires, witnesses, began, within):
    """When each fire was first seen in which state, in seconds from the death of the logger."""
    seen = {fire_id: {} for fire_id in fires}

    def all_seen():
        for fire_id in fires:
            try:
                seen[fire_id].setdefault(state(mesh, fire_id), time.monotonic() - began)
            except (OSError, EOFError):
                return False
        return all("filled" in seen[f] or ("unknown" in seen[f] and fires[f] not in witnesses) for f in fires)
    try:
        wait(all_seen, within, "every fire is unknown or resolved", pause=0.1)
    except TimeoutError:
        pass
    return seen


def lost(mesh, fires):
    """Fires whose answer is not in the journal as the terminal sent it."""
    found = set()
    for _, _, _, frame in JournalReader(mesh.journal).frames():
        if b'"fire_id":"silent-' in frame and b'"source"' not in frame:
            found.add(frame.split(b'"fire_id":"', 1)[1].split(b'"', 1)[0].decode())
    return [fire_id for fire_id in fires if fire_id not in found]
