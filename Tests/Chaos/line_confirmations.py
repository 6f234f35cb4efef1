"""Line 1: a million confirmations of mixed versions, and no fault: everything sent is journaled and applied, once.

The journal's segments are small, so that most of them are archived by the end and rows do get their end.
"""

from judgement import judge
from load import Load

TITLE = "confirmations of mixed versions, no fault"


def play(line, mesh, dose):
    mesh.configure(f"journal_segment_mb: {dose.of(1, 8)}")
    mesh.begin()
    load = Load(mesh, dose.terminals, dose.pushed(0.5), dose.answered(0.5), dose.seed, dose.processes)
    dose.keep(load)
    load.connect().go().finish()
    evidence = judge(line, mesh, load, archive_within=dose.of(60, 600))
    line.check("most rows of trades are in archived segments and were looked at", line.counts["rows_with_end"] > 500,
               line.counts["rows_with_end"])
    line.none("lost", evidence.lost)
    line.none("processes that ended", mesh.kills)
    line.equal("sent = journaled", len(evidence.journaled), load.sent())
    line.equal("sent = applied", len(evidence.applied), load.sent())
