import Domain

// Which steps of the balance what was booked explains.
extension AccountState {
    /// A booked closing of known money explains a step this long after it was seen: its message may have been late.
    static let lateMilliseconds: Int64 = 900_000
    /// A cause without a figure explains only a step it lies in, give or take the clocks.
    static let slackMilliseconds: Int64 = 5_000
    /// More causes than this are not tried in every combination.
    static let combined = 10
    /// With more booked closings than this near a step nothing beside them is certain.
    static let combinedBooked = 6

    /// Takes away the steps that booked causes explain, each cause once. Doing it twice changes nothing.
    ///
    /// - Parameter open: our open positions. A cause without a figure would explain anything: where only figures are
    ///   seen, it does not explain a step to which another of ours, closed in silence, may belong.
    mutating func explain(_ open: [Position]) {
        var left: [BalanceStep] = []
        for step in steps {
            let isListed = witness == .positions && isComplete
            let absorbs = isListed || !open.contains { opened($0) < step.at }
            if let used = explanation(of: step, absorbs: absorbs) {
                for index in used { causes[index].isSpent = true }
            } else {
                left.append(step)
            }
        }
        steps = left
    }

    /// What booked closings may have put into a step, in every combination: nothing first. Nil where they are too many.
    func bookedSums(within step: BalanceStep) -> [(amount: Amount, band: Amount)]? {
        let slack = AccountState.slackMilliseconds
        let known = causes.filter {
            !$0.isOpening && $0.amount != nil && $0.at > step.after.adding(milliseconds: -slack)
                && $0.at <= step.at.adding(milliseconds: slack)
        }
        guard known.count <= AccountState.combinedBooked else { return nil }
        var sums: [(amount: Amount, band: Amount)] = [(.zero, .zero)]
        for cause in known {
            sums += sums.map { ($0.amount + (cause.amount ?? .zero), $0.band + cause.band) }
        }
        return sums
    }

    /// All that ``explain(_:)`` looks at: where none of it changed, it finds what it found before.
    struct ExplanationBasis: Sendable, Equatable {
        let steps: [BalanceStep]
        let causes: [BalanceCause]
        let isListed: Bool
        let opened: [Int64: Timestamp]
    }

    func basis(_ open: [Position]) -> ExplanationBasis {
        let opened = open.map { ($0.key.ticket, self.opened($0)) }
        return ExplanationBasis(
            steps: steps, causes: causes, isListed: witness == .positions && isComplete,
            opened: Dictionary(opened) { first, _ in first })
    }

    mutating func forgetOld(_ now: Timestamp) {
        causes.removeAll { now - $0.at > AccountState.lateMilliseconds }
    }

    /// Indices of the causes whose sum is the step, or that lie in it without a figure; nil where there are none.
    private func explanation(of step: BalanceStep, absorbs: Bool) -> [Int]? {
        let slack = AccountState.slackMilliseconds
        let indices = causes.indices.filter {
            let late = causes[$0].isTimed ? slack : AccountState.lateMilliseconds
            return !causes[$0].isSpent && causes[$0].at > step.after.adding(milliseconds: -slack)
                && causes[$0].at <= step.at.adding(milliseconds: late)
        }
        let known = Array(indices.filter { causes[$0].amount != nil }.suffix(AccountState.combined))
        if let subset = subset(known, of: step) { return subset }
        let unknown = indices.filter {
            causes[$0].amount == nil && causes[$0].at <= step.at.adding(milliseconds: slack)
        }
        guard absorbs, !unknown.isEmpty else { return nil }
        let within = known.filter { causes[$0].at <= step.at.adding(milliseconds: slack) }
        return unknown + within
    }

    /// The smallest set of causes whose amounts make the step, within their bands.
    private func subset(_ indices: [Int], of step: BalanceStep) -> [Int]? {
        var best: (indices: [Int], distance: Amount)?
        guard !indices.isEmpty else { return nil }
        for mask in 1..<(1 << indices.count) {
            let chosen = indices.indices.filter { mask & (1 << $0) != 0 }.map { indices[$0] }
            let sum = chosen.reduce(Amount.zero) { $0 + (causes[$1].amount ?? .zero) }
            let band = chosen.reduce(Amount.zero) { $0 + causes[$1].band }
            let distance = (sum - step.amount).magnitude
            guard distance <= band else { continue }
            if let known = best, (known.indices.count, known.distance) <= (chosen.count, distance) { continue }
            best = (chosen, distance)
        }
        return best?.indices
    }
}
