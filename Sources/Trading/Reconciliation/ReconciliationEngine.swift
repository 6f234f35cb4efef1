public import Domain

/// The second witness: compares what terminals show of their accounts with what we believe of them.
///
/// A value without clock or I/O, beside ``PositionTrackerEngine`` and given it as an argument. A certain finding
/// becomes an inferred confirmation, whose effect comes back by the trade stream as any other's; an uncertain one a
/// question. What it knows of an account is ``AccountState``; everything else is a projection that may be lost.
/// Rules and reasons: docs/reconciliation.md.
public struct ReconciliationEngine: Sendable {
    public internal(set) var accounts: [String: AccountState] = [:]
    /// Open questions by id, and answered ones as long as what they ask about lasts.
    public internal(set) var questions: [String: ReconciliationQuestion] = [:]
    /// Ids of questions by account.
    var asked: [String: Set<String>] = [:]

    /// Our open positions by account.
    var ours: [String: Set<PositionKey>] = [:]
    var indexed = -1
    /// Positions to follow, by user and symbol.
    var followed: [FollowKey: Set<PositionKey>] = [:]
    /// Prices since the looks before the last.
    var ranges: [PositionKey: PriceRanges] = [:]
    /// Margin that each account's last look shows.
    var margins: [String: Amount] = [:]
    var clocks: [ClockKey: BrokerClock] = [:]
    var waiting: [String: Look] = [:]
    /// Inferred trades under way, and since when.
    var underWay: [String: Timestamp] = [:]
    /// Fires the ledger was asked for: whose they are; nil is nobody's.
    var foundFires: [String: FoundFire] = [:]
    var changed: Set<String> = []
    /// Accounts something happened to since they were last judged.
    var due: Set<String> = []
    /// Accounts with an unexplained step or an open fire: time alone changes what is to be done.
    public internal(set) var restless: Set<String> = []
    /// Accounts whose lists may have changed since ``takeLooked()``.
    var looked: Set<String> = []
    /// What was looked at when an account's steps were last explained.
    var explained: [String: AccountState.ExplanationBasis] = [:]
    /// Commands that may wait at users' terminals, and how many did when a fire left.
    var unread: [String: UnreadCommands] = [:]
    var aheadOfFires: [String: Int] = [:]

    struct FollowKey: Hashable {
        let user: String
        let symbol: String
    }

    struct ClockKey: Hashable {
        let account: String
        let isNumber: Bool
    }

    struct FoundFire: Sendable {
        let userUUID: String?
    }

    /// One look at an account, waiting a moment for its clock to be sure.
    struct Look: Sendable {
        let report: TerminalReport
        let receivedAt: Timestamp
        /// When it was taken, where somebody else has read the terminal's clock.
        let takenAt: Timestamp?
        /// Unrealised money of our positions by the quotes of that moment: a second later they may say something else.
        let values: [PositionKey: Amount]
    }

    /// A backlog comes in one burst: after this its end, and with it the terminal's clock, is known.
    static let settlingMilliseconds: Int64 = 1_000
    /// What happened so shortly before a look may not be in it.
    static let freshMilliseconds: Int64 = 3_000
    /// An inferred trade that has had no effect for this long is sent again.
    static let repeatMilliseconds: Int64 = 30_000
    /// Leave a terminal this long to tell it itself before an operator is asked.
    static let patienceMilliseconds: Int64 = 20_000
    /// Open questions about steps of one account's balance.
    static let askedSteps = 8
    /// Unexplained steps that together are this share of the balance, 1 of 10,000, are shown and not asked about.
    static let smallShare = Amount(units: 10_000)
    /// Reports about an account that is another user's: not looked at.
    public private(set) var foreignLooks: Int64 = 0
    /// Names come from outside and must not grow memory for ever.
    static let maximumAccounts = 100_000

    public init() {}

    // MARK: - Loading

    public mutating func restore(_ state: AccountState) {
        accounts[state.key] = state
        due.insert(state.key)
    }

    public mutating func restore(_ question: ReconciliationQuestion) { keep(question) }

    // MARK: - What arrives

    /// A terminal's report of its account, with whatever of an account it has. It is judged by ``advance(to:_:into:)``.
    ///
    /// - Parameter takenAt: when the terminal took it, where node-registry has judged its clock.
    public mutating func hear(
        _ report: TerminalReport, _ tracker: PositionTrackerEngine, takenAt: Timestamp? = nil, now: Timestamp
    ) {
        guard let user = report.userUUID, let terminal = tracker.terminals[user],
            let server = report.server ?? terminal.server, let account = report.account ?? terminal.account,
            // A name claimed under two identities is no witness for either.
            !terminal.isDoubtful(now), report.balance != nil || report.openPositions != nil
        else { return }
        let key = PositionKey.accountKey(server: server, account: account)
        guard accounts[key] != nil || accounts.count < ReconciliationEngine.maximumAccounts else { return }
        if let seconds = TerminalTime.seconds(report.timestamp) {
            _ = clocks[clockKey(key, report.timestamp), default: BrokerClock()].age(ofBrokerSeconds: seconds, now: now)
        }
        var state = accounts[key] ?? AccountState(server: server, account: account, userUUID: user)
        guard isOwn(server: server, account: account, user: user, state, tracker) else {
            foreignLooks += 1
            return
        }
        state.userUUID = user
        state.nodeID = report.nodeID ?? terminal.nodeID
        state.currency = report.currency ?? terminal.currency ?? state.currency
        state.version = report.version ?? terminal.version ?? state.version
        state.leverage = report.leverage.flatMap { Amount($0) } ?? state.leverage
        accounts[key] = state
        let money = ReconciliationMoney(tracker: tracker, now: now)
        let values = (ours[key] ?? []).compactMap { key in
            tracker.positions[key].flatMap { money.floating($0) }.map { (key, $0) }
        }
        waiting[key] = Look(
            report: report, receivedAt: now, takenAt: takenAt, values: Dictionary(values) { first, _ in first })
    }

    /// A booked event: what explains the balance, and what is no longer open.
    public mutating func booked(
        _ event: TradeEvent, _ tracker: PositionTrackerEngine, now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) {
        guard let account = event.account, let server = event.server else { return }
        let key = PositionKey.accountKey(server: server, account: account)
        guard var state = accounts[key] ?? newState(server, account, event.userUUID) else { return }
        let told = time(of: event, key)
        let moment = told ?? event.receivedAt
        let position = event.positionKey.flatMap { tracker.positions[$0] }
        let money = ReconciliationMoney(tracker: tracker, now: now)
        let before = state
        if !event.isCorrection {
            let band = position.flatMap { money.tolerance($0) } ?? Amount(1)
            switch event.kind {
            case .opened:
                if let position {
                    state.note(opening(position, money, moment))
                    state.openedAt[position.key.ticket] = moment
                }
                if let ticket = event.ticket { state.strangers[ticket] = nil }
                if let fireID = event.fireID { state.watches[fireID] = nil }
            case .closed:
                let isExact = event.profitSource == .balanceStep
                // A late message's estimate is of the quotes when it came.
                let isStale =
                    event.profitSource == .quote && event.receivedAt - moment > AccountState.slackMilliseconds
                state.note(
                    BalanceCause(
                        amount: isStale ? nil : event.netProfit ?? event.profit.flatMap { Amount($0) },
                        band: isExact ? ReconciliationMoney.rounding : band, at: moment, ticket: event.ticket,
                        isTimed: told != nil))
                if let ticket = event.ticket {
                    if event.isFinal {
                        state.noteClosed(ticket, at: moment)
                    } else {
                        state.reduced[ticket] = nil
                    }
                }
            case .failed, .unknownCommand:
                if let fireID = event.fireID { state.watches[fireID] = nil }
            case .closedAll, .closedSome, .closeFailed: break
            }
        }
        if event.isCorrection, event.kind == .closed, told != nil, let net = event.netProfit {
            // The terminal's word took the place of a witness'; the money it tells of is in the balance all the same.
            state.note(
                BalanceCause(amount: net, band: ReconciliationMoney.rounding, at: moment, ticket: event.ticket))
        }
        // A balance without a time may be of any time.
        if event.source != .inferred, told != nil, let balance = event.balance.flatMap({ Amount($0) }) {
            state.observe(balance: balance, at: moment, now: now)
        }
        accounts[key] = state
        due.insert(key)
        settleQuestions(after: event, state, into: &outputs)
        // At once, behind the event's own effect: a crash between them would leave a step without its cause.
        if state != before { outputs.append(.write(accountKey: key)) }
    }

    /// What an opening may take from the balance: its commission.
    private func opening(_ position: Position, _ money: ReconciliationMoney, _ moment: Timestamp) -> BalanceCause {
        let commission = (money.notional(position) ?? .zero) * ReconciliationMoney.commission
        let half = Amount(units: commission.units / 2)
        return BalanceCause(
            amount: -half, band: half + ReconciliationMoney.rounding, at: moment, ticket: position.key.ticket,
            isOpening: true)
    }

    /// When an event happened, by the account's clock; nil where that is not known.
    private func time(of event: TradeEvent, _ key: String) -> Timestamp? {
        guard let text = event.brokerTime, let seconds = TerminalTime.seconds(text),
            let told = clocks[clockKey(key, text)]?.utc(brokerSeconds: seconds)
        else { return nil }
        return min(told, event.receivedAt)
    }

    func clockKey(_ account: String, _ text: String?) -> ClockKey {
        ClockKey(account: account, isNumber: text.flatMap { Int64($0) } != nil)
    }

    // MARK: - Time

    /// Judges what was heard and what time does to it. Called about once a second.
    public mutating func advance(
        to now: Timestamp, _ tracker: PositionTrackerEngine, into outputs: inout [ReconciliationOutput]
    ) {
        index(tracker)
        underWay = underWay.filter { now - $0.value < ReconciliationEngine.repeatMilliseconds }
        read(tracker)
        watchFires(tracker, now: now, into: &outputs)
        due.formUnion(restless)
        for (key, look) in waiting where now - look.receivedAt >= ReconciliationEngine.settlingMilliseconds {
            waiting[key] = nil
            if take(look, key, tracker, now: now, into: &outputs) { due.insert(key) }
        }
        for key in due.sorted() { judge(key, tracker, now: now, into: &outputs) }
        looked.formUnion(due)
        due.removeAll()
        for key in changed.sorted() { outputs.append(.write(accountKey: key)) }
        changed.removeAll()
    }
}
