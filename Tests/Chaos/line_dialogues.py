"""Line 9: the written dialogues, as one line of the table of faults."""

from collections import Counter

from dialogues import TITLE, load, play_all, prepare
from evidence import unknown_fires
from journal_reader import JournalReader

__all__ = ["TITLE", "play"]
# Frames that no journal has to have, by the dialogue that is about them: two above what a port lets through, and one that
# a frozen logger takes with it when it is killed (sent again, it is there once).
NOT_JOURNALED = {"frame-of-100-kilobytes": 2, "receipt-lost-in-a-crash": 1}


def play(line, mesh, dose):
    """All of them in every dose: each is one case, and the slowest takes half a minute."""
    prepare(mesh)
    mesh.begin()
    dialogues = load()
    failed, kills = play_all(mesh, line.report, dialogues)
    settled = mesh.settle()
    # Frame by frame: what terminals said on the ports of confirmations, and what the journal has of it.
    said = Counter(frame for _, frame in mesh.confirmations)
    journaled = Counter(frame for _, _, _, frame in JournalReader(mesh.journal).frames())
    lost = said - journaled
    speaker = {frame: name for name, frame in mesh.confirmations}
    by_dialogue = Counter(speaker[frame] for frame in lost.elements())
    told = Counter(fields.get("event_id") for _, fields in mesh.state.stream("events:trades")
                   if fields.get("correction") != "1")
    twice = [name for name, count in told.items() if count > 1]
    line.none("events told to the tracker twice", twice)
    line.equal("frames that are not in the journal, by the dialogues that are about that", dict(by_dialogue),
               NOT_JOURNALED)
    line.note(sent=said.total(), journaled=journaled.total(), applied=len(mesh.state.keys("trade:*")),
              lost=lost.total(), double=len(twice), unknown=len(unknown_fires(mesh.state)), kills=kills,
              catch_up_s=settled, memory_mb=mesh.memory_text(), dialogues=len(dialogues),
              passed=len(dialogues) - len(failed), scale=dose.of("all", "all"))
    line.none("failed dialogues", failed)
