"""Line 9: the written dialogues, as one line of the table of faults."""

from collections import Counter

from dialogues import TITLE, load, play_all, prepare
from evidence import unknown_fires
from journal_reader import JournalReader

__all__ = ["TITLE", "play"]


def play(line, mesh, dose):
    """All of them in every dose: each is one case, and the slowest takes half a minute."""
    prepare(mesh)
    mesh.begin()
    dialogues = load()
    failed, kills = play_all(mesh, line.report, dialogues)
    settled = mesh.settle()
    # Frame by frame: what terminals said on the ports of confirmations, and what the journal has of it.
    said = Counter(mesh.confirmations)
    journaled = Counter(frame for _, _, _, frame in JournalReader(mesh.journal).frames())
    lost = said - journaled
    told = Counter(fields.get("event_id") for _, fields in mesh.state.stream("events:trades")
                   if fields.get("correction") != "1")
    twice = [name for name, count in told.items() if count > 1]
    line.none("events told to the tracker twice", twice)
    # Two dialogues are about what a kill of the logger takes with it, one about a frame that no port lets through.
    line.check("what is not in the journal is what dialogues are about", lost.total() <= 8, list(lost)[:5])
    line.note(sent=said.total(), journaled=journaled.total(), applied=len(mesh.state.keys("trade:*")),
              lost=lost.total(), double=len(twice), unknown=len(unknown_fires(mesh.state)), kills=kills,
              catch_up_s=settled, memory_mb=mesh.memory_text(), dialogues=len(dialogues),
              passed=len(dialogues) - len(failed), scale=dose.of("all", "all"))
    line.none("failed dialogues", failed)
