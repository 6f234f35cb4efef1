"""Line 1: a million confirmations of mixed versions, and no fault: everything sent is journaled and applied, once."""

from judgement import judge
from load import Load

TITLE = "confirmations of mixed versions, no fault"


def play(line, mesh, dose):
    mesh.begin()
    load = Load(mesh, dose.terminals, dose.pushed(0.5), dose.answered(0.5), dose.seed, dose.processes)
    dose.keep(load)
    load.connect().go().finish()
    evidence = judge(line, mesh, load)
    line.none("lost", evidence.lost)
    line.none("processes that ended", mesh.kills)
    line.equal("sent = journaled", len(evidence.journaled), load.sent())
    line.equal("sent = applied", len(evidence.applied), load.sent())
