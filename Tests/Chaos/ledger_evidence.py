"""The fire ledger from three sources: its counters, its rows, and what the journal of confirmations has of its fires."""

import json
from collections import Counter

from journal_reader import JournalReader

# Handed to libzmq: what is accounted for, and what is not.
ACCOUNTED = ("filled", "rejected", "never_executed")
UNACCOUNTED = ("sent", "acknowledged", "unknown")


def fire_rows(state):
    """(state, user) by fire id."""
    return {key[5:]: fields for key, fields in state.rows(state.keys("fire:*"), ("state", "user_uuid"))}


def judge_counts(line, desk, fires):
    """The counters as an operator reads them beside the rows they count; `denied` counts refusals, of which one row may have
    had several."""
    counts = desk.ask(type="ledger")
    states = Counter(state for state, _ in fires.values())
    rows = {name: states[name] for name in (*ACCOUNTED, "unknown", "expired")}
    rows["accounted"] = sum(states[name] for name in ACCOUNTED)
    rows["unaccounted"] = sum(states[name] for name in UNACCOUNTED)
    rows["sent"] = rows["accounted"] + rows["unaccounted"]
    line.equal("the ledger's counts beside the states of its rows", {name: counts.get(name) for name in rows}, rows)
    line.check("and no denied row without its count", counts.get("denied", 0) >= states["denied"],
               (counts.get("denied"), states["denied"]))
    return counts


def judge_journals(line, mesh):
    """Both journals whole, and Redis what they say."""
    for words in (("journal", "verify"), ("journal", "replay", "--check")):
        code, output = mesh.meshctl(*words, timeout=600)
        line.check(f"meshctl {' '.join(words)} agrees", code == 0, f"exit {code}: {output[-900:]}")


def told_of_fires(journal):
    """What the journal of confirmations has of fires, by the word of a terminal or a witness: (opened or closed, failed)."""
    opened, failed = set(), set()
    for _, _, _, frame in JournalReader(journal).frames():
        try:
            message = json.loads(frame)
        except ValueError:
            continue
        if isinstance(message, dict) and message.get("fire_id"):
            into = failed if message.get("status") == "failed" else opened
            into.add(message["fire_id"])
    return opened, failed
