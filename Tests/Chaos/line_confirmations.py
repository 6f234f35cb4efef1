"""Line 1: a million confirmations of mixed versions, and no fault: everything sent is journaled and applied, once. Then
Redis is emptied once, and everything is there again: sums, positions and a ledger of some fires.

The journal's segments are small, so that most of them are archived by the end and rows do get their end.
"""

import time

import rebuilding
from judgement import judge
from load import Load

TITLE = "confirmations of mixed versions, no fault"


def play(line, mesh, dose):
    mesh.configure(f"journal_segment_mb: {dose.of(1, 8)}")
    mesh.begin()
    load = Load(mesh, dose.terminals, dose.pushed(0.5), dose.answered(0.5), dose.seed, dose.processes)
    dose.keep(load)
    load.connect().go()
    time.sleep(dose.of(1, 30))
    is_loaded = not load.is_over
    code, output = mesh.meshctl("journal", "replay", "--check", timeout=600)
    line.check("under load Redis is what the journals say, or behind by what is under way", is_loaded and code == 0,
               f"loaded {is_loaded}, exit {code}: {output[-900:]}")
    load.finish()
    mesh.settle()
    fired = rebuilding.fire_some(mesh, dose)
    evidence = judge(line, mesh, load, archive_within=dose.of(60, 600))
    rows = evidence.archived_rows, evidence.unarchived_rows
    line.check("most rows of trades are in archived segments", rows[0] > rows[1], rows)
    line.check("many of them were looked at", line.counts["rows_with_end"] > 500, line.counts["rows_with_end"])
    line.none("lost", evidence.lost)
    line.none("processes that ended", mesh.kills)
    line.equal("sent = journaled", len(evidence.journaled), load.sent())
    line.equal("sent = applied", len(evidence.applied), load.sent())
    settled = line.counts["catch_up_s"]
    evidence = rebuilding.play(line, mesh, load, dose, archive_within=dose.of(60, 600))
    line.equal("rebuilt: sent = journaled", len(evidence.journaled), load.sent())
    line.equal("rebuilt: sent = applied", len(evidence.applied), load.sent())
    line.note(catch_up_s=max(settled, line.counts["rebuilt_after_s"]), fires=fired)
