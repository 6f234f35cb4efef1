import Domain
import Wire
import ZeroMQ

/// One MetaTrader terminal: an account at a broker, an EA on a chart, its sockets.
///
/// An EA sends with blocking calls. Here a message its socket does not take waits in `outbox`, and while one waits
/// the terminal does nothing else: no tick, no timer, no command. Source: ea-wire 1.4. One thread owns it.
final class Terminal {
    enum State: Sendable, Equatable { case stopped, running, silent }

    let index: Int
    let context: FleetContext
    private(set) var profile: TerminalProfile
    var account: BrokerAccount
    private(set) var state: State = .stopped
    private(set) var nodeID: TerminalText = ""
    private(set) var isBlocked = false
    /// TimeCurrent(): the broker's time of the newest quote, not a clock.
    private(set) var timeCurrent: Int64 = 0
    /// When to open the sockets again, for an EA that closed them by itself.
    private(set) var reopenAt: Int64?

    private let startTickCount: UInt32
    private(set) var expert: (any Expert)?
    private(set) var sockets: TerminalSockets?
    /// Connections nobody serves any more and nobody has ended.
    private var halfOpenSockets: TerminalSockets?
    var receipts: ReceiptChannel?
    private var outbox: [(port: EAPort, bytes: [UInt8])] = []
    /// Decides what befalls this terminal, so that its own history is the same whatever the others do.
    var generator: SeededGenerator
    /// Closes the EA's OnTrade has not been called for yet.
    var trades: [ClosedPosition] = []
    /// Confirmations of an EA that was stopped, to be sent by its next run.
    var unsent: [[UInt8]] = []
    private var isExpertRemoved = false
    private var nextTimer: Int64 = 0
    var nextSwap: Int64?

    init(index: Int, profile: TerminalProfile, context: FleetContext) {
        self.index = index
        self.profile = profile
        self.context = context
        account = BrokerAccount(
            currency: profile.currency, leverage: profile.leverage, balance: profile.balance,
            tickets: context.tickets(server: profile.server))
        startTickCount = UInt32(truncatingIfNeeded: context.generator.next())
        generator = SeededGenerator(seed: context.generator.next())
    }

    var figures: AccountFigures {
        var figures = account.figures(context.market)
        if context.behaviour.hasNegativeZero { figures.freeMargin = Amount(units: -1) }
        return figures
    }

    var timeText: TerminalText { context.market.timeText(brokerSeconds: timeCurrent) }

    // MARK: - Life

    /// OnInit without sockets, for who looks at messages only.
    func attach() {
        state = .running
        // GetTickCount(): milliseconds since the machine started, 32 bits, so that it wraps.
        let tickCount = startTickCount &+ UInt32(truncatingIfNeeded: context.monotonic)
        nodeID = TerminalText("NODE_\(profile.account)_\(tickCount)")
        refreshTime()
        let fresh: any Expert = profile.version == .v701 ? ExecutorExpert(self) : UniversalExpert(self)
        expert = fresh
        nextTimer = context.monotonic + 1000
        context.ledger?.started(self)
        fresh.start()
    }

    func start(_ zeroMQ: ZMQContext, _ endpoints: Endpoints) throws(ZMQError) {
        try open(zeroMQ, endpoints)
        attach()
        try startReceipts(zeroMQ, endpoints)
        context.log("connected", self, [("version", .string(profile.version.rawValue))])
    }

    private func open(_ zeroMQ: ZMQContext, _ endpoints: Endpoints) throws(ZMQError) {
        // The old identity must be free before the new connection asks for it.
        sockets = nil
        sockets = try TerminalSockets(zeroMQ, endpoints, profile, context.behaviour)
        reopenAt = nil
        context.statistics.connections += 1
    }

    /// The network was away: same EA, same node, new connections, and no HELLO.
    func reconnect(_ zeroMQ: ZMQContext, _ endpoints: Endpoints) throws(ZMQError) {
        guard state != .stopped else { return }
        try open(zeroMQ, endpoints)
        try receipts?.reconnect()
        expert?.reconnected()
        context.log("reconnected", self)
    }

    /// The mesh can't be reached: what the EA sends meanwhile is queued, see ``Expert/sendBacklog(_:)``.
    func goOffline() {
        sockets = nil
        outbox.removeAll()
        context.log("offline", self)
    }

    func leaveSocketsHalfOpen() throws(ZMQError) {
        try sockets?.pullCable()
        halfOpenSockets = nil
        swap(&halfOpenSockets, &sockets)
    }

    func closeSockets(reopenAfter milliseconds: Int64) {
        sockets = nil
        outbox.removeAll()
        reopenAt = context.monotonic + milliseconds
    }

    /// - Parameter isAbrupt: the process is killed: no DISCONNECT, the connections just end.
    func stop(reason: TerminalText, isAbrupt: Bool = false) throws(ZMQError) {
        guard state != .stopped else { return }
        if !isAbrupt {
            expert?.stop(reason: reason)
            try flush()
        }
        context.log(isAbrupt ? "killed" : "disconnected", self, [("reason", .string(reason.text))])
        state = .stopped
        expert = nil
        isExpertRemoved = false
        sockets = nil
        stopReceipts()
        trades.removeAll()
        outbox.removeAll()
        isBlocked = false
    }

    /// ExpertRemove(): the EA ends itself, once the event it is in is over.
    func removeExpert() { isExpertRemoved = true }

    /// Another account in the same terminal; to be done while it is stopped.
    func switchAccount(to number: Int64, balance: Amount) {
        context.ledger?.ended(self, unanswered: unsent.count)
        profile.account = number
        profile.balance = balance
        account = BrokerAccount(
            currency: profile.currency, leverage: profile.leverage, balance: balance,
            tickets: context.tickets(server: profile.server))
    }

    /// Hangs (a frozen Windows machine): everything stops, the connections stay. False wakes it again.
    func setSilent(_ isSilent: Bool) {
        guard state != .stopped else { return }
        state = isSilent ? .silent : .running
        context.log(isSilent ? "silent" : "awake", self)
    }

    // MARK: - Events of the terminal

    /// The chart's symbol was quoted: OnTick, which ends with one look into the command socket.
    func chartTick() throws(ZMQError) {
        guard try isReady() else { return }
        refreshTime()
        expert?.onTick()
        onTrade()
        if !context.behaviour.readsEveryMillisecond && expert?.readsBetweenTicks == false { try readCommand() }
        try flush()
    }

    /// The broker looks at the stops; the EA hears nothing of it.
    func brokerQuoted(symbol: Int) {
        guard !account.positions.isEmpty else { return }
        booked(account.closeTriggered(symbol: symbol, context.market, now: context.now.seconds))
    }

    /// Everything that is not a tick. Called often; the timer fires once a second.
    func round() throws(ZMQError) {
        try serveReceipts()
        guard try isReady() else { return }
        if isExpertRemoved { return try stop(reason: "Program terminated") }
        if expert?.readsBetweenTicks == true || context.behaviour.readsEveryMillisecond { try readCommand() }
        if context.monotonic >= nextTimer {
            nextTimer = max(nextTimer + 1000, context.monotonic + 1)
            booked(account.closeForMargin(context.market, now: context.now.seconds))
            refreshTime()
            tradeByHand()
            chargeSwap()
            onTrade()
            expert?.onTimer()
        }
        try flush()
    }

    private func readCommand() throws(ZMQError) {
        guard let frame = try sockets?.receive(), !frame.isEmpty else { return }
        expert?.receive(frame)
    }

    func refreshTime() {
        var newest: Int64?
        for symbol in profile.symbols {
            guard let quote = context.market.quote(symbol.marketIndex) else { continue }
            newest = max(newest ?? quote.utcSeconds, quote.utcSeconds)
        }
        timeCurrent = max(timeCurrent, (newest ?? context.now.seconds) + profile.brokerOffsetSeconds)
    }

    // MARK: - Sending

    func send(_ bytes: [UInt8], to port: EAPort) { outbox.append((port, bytes)) }

    /// Takes what waits; for who has no sockets.
    func takeOutbox() -> [(port: EAPort, bytes: [UInt8])] {
        defer { outbox.removeAll() }
        return outbox
    }

    /// A confirmation, as reliable as the fleet was told to be.
    func sendConfirmation(_ bytes: [UInt8]) {
        if receipts != nil {
            receipts?.add(bytes)
            context.statistics.confirmationsSent += 1
            return
        }
        if happens(context.behaviour.loseConfirmations) {
            context.statistics.confirmationsLost += 1
            context.ledger?.lost(bytes, profile)
            context.log("confirmation_lost", self, [("text", .string(TerminalText(bytes: bytes).text))])
            return
        }
        send(bytes, to: .confirmations)
        context.statistics.confirmationsSent += 1
        if happens(context.behaviour.duplicateConfirmations) {
            send(bytes, to: .confirmations)
            context.statistics.confirmationsDuplicated += 1
        }
        context.log("confirmation", self, [("text", .string(TerminalText(bytes: bytes).text))])
    }

    private func isReady() throws(ZMQError) -> Bool {
        guard state == .running, sockets != nil else { return false }
        try flush()
        return outbox.isEmpty
    }

    /// Hands over what the sockets take; remembers whether the EA stands still because they don't.
    private func flush() throws(ZMQError) {
        guard sockets != nil else { return }
        var sent = 0
        while sent < outbox.count, try sockets?.send(outbox[sent].bytes, to: outbox[sent].port) == true { sent += 1 }
        if sent > 0 { outbox.removeFirst(sent) }
        guard isBlocked == outbox.isEmpty else { return }
        isBlocked.toggle()
        if isBlocked { context.statistics.timesBlocked += 1 }
        context.log(isBlocked ? "blocked" : "unblocked", self)
    }
}
