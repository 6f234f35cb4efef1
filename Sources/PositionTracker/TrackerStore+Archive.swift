import Journal
import ServiceKit

// Rows of what is over: they end 90 days later, and not before their records are in an archived segment.

extension TrackerStore {
    /// Where the archive's rows are gone through.
    struct Archiving {
        /// Up to which record all rows have their end, as far as this process knows.
        var through: UInt64 = 0
        /// The archive's end when the walk under way began; nil between walks.
        var target: UInt64?
        var cursor = "0"
        var isBusy = false
        var epoch = 0
    }

    /// Says anew when rows end, for the journal and Redis.
    func keep(_ commands: [[String]]) {
        for start in stride(from: 0, to: commands.count, by: 200) {
            write(.always, Array(commands[start..<min(start + 200, commands.count)]))
        }
    }

    /// Begins a walk when more is archived than at the last one. Called each second.
    func lookAtArchive() {
        let through = journal.archive.through
        report.gauges["ledger_archived_seq"] = Int64(clamping: through)
        guard phase == .open, link.isReady else { return }
        if archiving.epoch != epoch { archiving = Archiving(epoch: epoch) }
        guard !archiving.isBusy else { return }
        if archiving.target == nil {
            guard through > archiving.through else { return }
            archiving.target = through
            archiving.cursor = "0"
        }
        goOnArchiving()
    }

    private func goOnArchiving() {
        guard let target = archiving.target, phase == .open else { return }
        archiving.isBusy = true
        let field = TrackerScripts.markPrefix + journal.identifier
        let values = ArchiveScript.values(field: field, through: target, cursor: archiving.cursor)
        link.run(archiveScript, keys: [], values) { [unowned self, epoch] reply in
            guard epoch == self.epoch, archiving.epoch == epoch else { return }
            archiving.isBusy = false
            guard let outcome = ArchiveScript.outcome(reply) else { return }
            report.count("rows_archived", outcome.rows)
            archiving.cursor = outcome.cursor
            guard outcome.cursor == "0" else { return goOnArchiving() }
            archiving.through = target
            archiving.target = nil
        }
    }
}
