import Domain

extension ClosingStep {
    /// The first ticket of a hybrid is told with the lot of all three. While it stands for them, a closing that states
    /// less is a part, whatever its words; when a list has shown its own lots, a closing of these is the end.
    ///
    /// - Parameter row: the tracker's, which knows what lists showed.
    mutating func leaveParts(of row: [String: String]?, _ report: TradeReport, _ lifecycle: TradeLifecycle?) {
        let print = TradeLifecycle.fingerprint(report)
        guard let lifecycle, lifecycle.isHybrid, !lifecycle.isClosed, let whole = lifecycle.lot,
            replaces == nil, !report.isInferred, let row, row["state"] != "closed",
            // What is told again is what it was.
            !lifecycle.closings.contains(where: { $0.fingerprint == print }),
            let left = row["lot"].flatMap({ Amount($0) }),
            let said = report.lot.flatMap({ Amount($0) })?.magnitude, said.isPositive
        else { return }
        let before = lifecycle.closedVolume
        let standsForParts = left + before == whole
        if standsForParts, isFinal, said < left {
            (volume, soFar, isFinal) = (said, before + said, false)
        } else if !standsForParts, !isFinal, said >= left {
            (volume, soFar, isFinal) = (said, max(whole, before + said), true)
        }
    }
}

extension TradeEvent {
    /// What the terminals that know hybrids say of one they opened, whole or in part. Source: ea-wire 2.
    var tellsHybrid: Bool { kind == .opened && message?.hasPrefix("HYBRID: ") == true }
}
