import Domain

// Looks: when they were taken, and what they change.
extension ReconciliationEngine {
    /// One look. Returns whether it was usable: it is of the present, and newer than the last.
    mutating func take(
        _ look: Look, _ key: String, _ tracker: PositionTrackerEngine, now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) -> Bool {
        let report = look.report
        guard var state = accounts[key], let moment = moment(of: look, key) else {
            outputs.append(.count("looks_not_of_the_present"))
            return false
        }
        guard state.lookedAt.map({ moment > $0 }) ?? true else { return false }
        state.forgetOld(now)
        let before = state
        state.lookedAt = moment
        margins[key] = nil
        if let balance = report.balance.flatMap({ Amount($0) }) {
            state.observe(balance: balance, at: moment, now: now)
            state.floating = report.equity.flatMap { Amount($0) }.map { $0 - balance }
        }
        let positions = (ours[key] ?? []).compactMap { tracker.positions[$0] }
            .filter { $0.openedAt.adding(milliseconds: ReconciliationEngine.freshMilliseconds) < moment }
            .sorted { $0.key.ticket < $1.key.ticket }
        if let list = report.openPositions {
            compare(list, report, positions, &state, tracker, moment: moment, into: &outputs)
        } else {
            compareFigures(look, positions, &state, tracker, now: now)
        }
        for position in positions { ranges[position.key]?.begin(now) }
        accounts[key] = state
        if !state.isSame(as: before) { changed.insert(key) }
        looked.insert(key)
        outputs.append(.count("looks"))
        return true
    }

    /// Whether a user's word about an account counts: anybody can write a login and a server into a heartbeat. An account
    /// changes hands only when nothing of another user is open or under way there and his terminal has left it.
    func isOwn(
        server: String, account: String, user: String, _ state: AccountState, _ tracker: PositionTrackerEngine
    ) -> Bool {
        if state.userUUID == user, accounts[state.key] != nil { return true }
        if state.userUUID != user, let owner = tracker.terminals[state.userUUID], owner.isActive,
            owner.account == account, owner.server == nil || owner.server == server
        {
            return false
        }
        let isHeldByAnother = tracker.positions.values.contains {
            $0.userUUID != user && $0.key.server == server && $0.key.account == account
        }
        let isFiredAtByAnother = tracker.fires.values.contains {
            $0.userUUID != user && $0.server == server && $0.account == account
        }
        return !isHeldByAnother && !isFiredAtByAnother
    }

    /// When a look was taken; nil where that is not of the present, or not known.
    func moment(of look: Look, _ key: String) -> Timestamp? {
        if let takenAt = look.takenAt { return takenAt }
        let text = look.report.timestamp
        guard let seconds = TerminalTime.seconds(text) else { return nil }
        var clock = clocks[clockKey(key, text)] ?? BrokerClock()
        guard clock.isCurrent(brokerSeconds: seconds, now: look.receivedAt),
            let age = clock.age(ofBrokerSeconds: seconds, now: look.receivedAt)
        else { return nil }
        return look.receivedAt.adding(milliseconds: -age)
    }

    func newState(_ server: String, _ account: String, _ user: String) -> AccountState? {
        guard accounts.count < ReconciliationEngine.maximumAccounts else { return nil }
        return AccountState(server: server, account: account, userUUID: user)
    }

    /// A moment as the broker's clock reads it, for what is told in its words.
    func brokerText(_ moment: Timestamp, _ key: String) -> String? {
        for isNumber in [false, true] {
            if let offset = clocks[ClockKey(account: key, isNumber: isNumber)]?.utc(brokerSeconds: moment.seconds) {
                return Timestamp.brokerText(seconds: 2 * moment.seconds - offset.seconds)
            }
        }
        return nil
    }

    /// Counts of looks begin anew: while the books could not follow, what was booked may not be in them.
    public mutating func forgetLooks() {
        waiting.removeAll()
        margins.removeAll()
        for key in accounts.keys {
            accounts[key]?.missing.removeAll()
            accounts[key]?.reduced.removeAll()
            accounts[key]?.flatLooks = 0
            accounts[key]?.unfitting = nil
        }
    }
}

extension AccountState {
    /// Whether nothing that must survive a restart differs: times of looks alone do not.
    func isSame(as other: AccountState) -> Bool {
        var left = self
        left.lookedAt = other.lookedAt
        left.balanceAt = other.balanceAt
        left.floating = other.floating
        // Money moves with the price: that it differs is kept, not by how much.
        if left.mismatch?.count == other.mismatch?.count { left.mismatch = other.mismatch }
        // It follows the price: only what it is learnt for must be kept.
        if left.margin?.symbols == other.margin?.symbols { left.margin = other.margin }
        left.listedAt = other.listedAt
        left.theirs = other.theirs
        left.listTakenAt = other.listTakenAt
        return left == other
    }
}
