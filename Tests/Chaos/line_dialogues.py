"""Line 9: the written dialogues, as one line of the table of faults."""

from dialogues import TITLE, load, play_all, prepare

__all__ = ["TITLE", "play"]


def play(line, mesh, dose):
    """All of them in every dose: each is one case, and the slowest takes half a minute."""
    prepare(mesh)
    mesh.begin()
    dialogues = load()
    failed, kills = play_all(mesh, line.report, dialogues)
    sent = sum(step.kind == "send" for dialogue in dialogues for step in dialogue.steps)
    # What is lost or counted twice shows in the dialogue it belongs to.
    line.note(sent=sent, journaled="-", applied="-", lost="-", double="-", unknown="-", kills=kills, catch_up_s="-",
              memory_mb=mesh.memory_text(), dialogues=len(dialogues), passed=len(dialogues) - len(failed),
              scale=dose.of("all", "all"))
    line.none("failed dialogues", failed)
