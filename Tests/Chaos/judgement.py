"""What every line under load must show at its end, and the counts it prints."""

from broken_mesh import wait
from evidence import Evidence
from journal_reader import archived_through


def judge(line, mesh, load, archive_within=None, after="", **more):
    """Waits until everything is booked, reads all evidence and checks what must hold under any fault but one: what is
    lost on `ea-confirmations`, where a killed logger is allowed a few, is the line's own to judge. With `archive_within`
    also until every row of an archived segment has its end. `after` is put before what is checked."""
    settled = mesh.settle()
    if archive_within:
        through = archived_through(mesh.journal)
        wait(lambda: mesh.archived() >= through, archive_within, f"rows up to record {through} have their end", pause=0.2)
    evidence = Evidence(mesh, load)
    streamed = evidence.streamed_twice()
    statistics, accounts = evidence.wrong_statistics(), evidence.wrong_accounts()
    count, positions = evidence.wrong_positions()
    line.none(f"{after}records of the journal that are damaged", evidence.reader.damages)
    code, output = mesh.meshctl("journal", "verify", timeout=600)
    line.check(f"{after}meshctl journal verify agrees", code == 0, f"exit {code}: {output[-500:]}")
    code, output = mesh.meshctl("journal", "replay", "--check", timeout=600)
    line.check(f"{after}meshctl journal replay --check finds every scope, every fire and every position equal",
               code == 0, f"exit {code}: {output[-900:]}")
    line.none(f"{after}lost on ea-receipts", evidence.lost_of(own=True))
    line.equal(f"{after}on ea-receipts everything was answered", load.unanswered(), 0)
    line.none(f"{after}on ea-receipts refused", load.refused())
    line.none(f"{after}journaled but never sent", evidence.never_sent)
    line.none(f"{after}journaled and not applied", evidence.not_applied)
    line.none(f"{after}applied and not journaled", evidence.invented)
    line.none(f"{after}applied twice (rows)", evidence.twice)
    line.none(f"{after}applied twice (told to the tracker twice)", streamed)
    line.none(f"{after}statistics that are not the sums of the ledger", statistics)
    line.none(f"{after}accounts that are not what their terminals said", accounts)
    line.none(f"{after}positions of {count} that are not in their end state at the tracker", positions)
    ended, endless, wrong = evidence.wrong_ends()
    line.none(f"{after}of {ended} rows of trades in archived segments and {endless} others those whose end is not their "
              "segment's", wrong)
    doubled = len(evidence.twice) + len(evidence.invented) + len(streamed)
    line.note(catch_up_s=settled, sent=load.sent(), journaled=len(evidence.journaled), applied=len(evidence.applied),
              lost=len(evidence.lost), double=doubled, unknown=len(evidence.unknown_fires()), kills=len(mesh.kills),
              memory_mb=mesh.memory_text(),
              sent_5558=load.sent(own=False), sent_5559=load.sent(own=True),
              rate_5558=load.rate(own=False), rate_5559=load.rate(own=True), resent=load.total("resent"),
              resumes=load.total("resumes"), journal_mb=evidence.reader.bytes // 1_000_000,
              gzip_segments=evidence.reader.compressed, rows_with_end=ended,
              archived_rows=evidence.archived_rows, unarchived_rows=evidence.unarchived_rows, settled_s=settled)
    line.note(**more)
    return evidence
