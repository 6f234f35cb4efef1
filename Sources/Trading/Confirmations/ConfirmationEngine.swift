public import Domain

/// Turns confirmations into trade events: joins them to fires and openings, names them, and says what they earned.
///
/// A value without clock or I/O: the same confirmations in the same order with the same look-ups give the same events.
/// What it decided it remembers (bounded), so that an event still under way to Redis is known to the next one. A
/// decision that was made before is not made again but absorbed, see ``absorb(_:_:)``.
public struct ConfirmationEngine: Sendable {
    let catalogue: InstrumentCatalogue
    var lifecycles: BoundedMemory<String, TradeLifecycle>
    var accounts: BoundedMemory<String, AccountMemory>
    /// Fires answered by order of arrival, which the tracker may still list as outstanding.
    var answeredFires: BoundedMemory<String, Bool>

    /// - Parameter memory: how many positions and accounts are remembered; it must exceed what is decided and not
    ///   yet booked.
    public init(catalogue: InstrumentCatalogue, memory: Int = 200_000) {
        self.catalogue = catalogue
        lifecycles = BoundedMemory(limit: memory)
        accounts = BoundedMemory(limit: memory)
        answeredFires = BoundedMemory(limit: memory)
    }

    /// What one confirmation means: one event, or one for each position it closed. Never none.
    public mutating func decide(_ confirmation: Confirmation, _ context: ConfirmationContext) -> [TradeEvent] {
        let context = ConfirmationEngine.own(context, of: confirmation.report)
        let party = Party(confirmation.report, context)
        let events: [TradeEvent] =
            switch confirmation.report.kind {
            case .opened: [open(confirmation, context, party)]
            case .failed: [fail(confirmation, context, party)]
            case .closed: [close(confirmation, context, party)]
            case .closedAll: closeAll(confirmation, context, party)
            case .closedSome, .closeFailed, .unknownCommand: [note(confirmation, context, party)]
            }
        absorb(events)
        return events
    }

    /// Takes events in that were decided before, from the journal. Taking them twice changes nothing.
    ///
    /// - Parameter contexts: what Redis knew of their positions, see ``ConfirmationQuestion/init(_:)``.
    public mutating func absorb(_ events: [TradeEvent], _ contexts: [ConfirmationContext]) {
        for event in events {
            guard let account = event.account, let ticket = event.ticket else { continue }
            let key = EventIdentity.lifecycle(user: event.userUUID, account: account, ticket: ticket)
            guard lifecycles[key] == nil else { continue }
            let stored = contexts.lazy.compactMap { $0.lifecycles[ticket] }.first
            if let loaded = stored.flatMap({ TradeLifecycle(fields: $0) }) { lifecycles[key] = loaded }
        }
        absorb(events)
    }

    mutating func absorb(_ events: [TradeEvent]) {
        for event in events {
            if event.isInferred, let fireID = event.fireID { answeredFires[fireID] = true }
            guard let account = event.account else { continue }
            let name = Party.accountName(user: event.userUUID, account: account)
            var memory = accounts[name] ?? AccountMemory()
            memory.absorb(event)
            accounts[name] = memory
            guard let ticket = event.ticket, event.kind == .opened || event.kind == .closed else { continue }
            let key = EventIdentity.lifecycle(user: event.userUUID, account: account, ticket: ticket)
            var lifecycle = lifecycles[key] ?? TradeLifecycle()
            lifecycle.absorb(event)
            lifecycles[key] = lifecycle
        }
    }

    /// The position's life as it is after an event, to be written with it; nil where the event has no ticket.
    public mutating func lifecycle(after event: TradeEvent) -> (key: String, lifecycle: TradeLifecycle)? {
        guard let account = event.account, let ticket = event.ticket, event.kind == .opened || event.kind == .closed
        else { return nil }
        let key = EventIdentity.lifecycle(user: event.userUUID, account: account, ticket: ticket)
        return lifecycles[key].map { (key, $0) }
    }

    /// What this process remembers of a position, else what Redis knew.
    mutating func lifecycle(_ party: Party, _ ticket: Int64, _ context: ConfirmationContext) -> TradeLifecycle? {
        guard let account = party.account else { return nil }
        let key = EventIdentity.lifecycle(user: party.user, account: account, ticket: ticket)
        if let known = lifecycles[key] { return known }
        guard let loaded = context.lifecycles[ticket].flatMap({ TradeLifecycle(fields: $0) }) else { return nil }
        lifecycles[key] = loaded
        return loaded
    }

    /// An event with everything the message itself says.
    func event(_ identifier: String, _ kind: TradeReport.Kind, _ confirmation: Confirmation, _ party: Party)
        -> TradeEvent
    {
        let report = confirmation.report
        var event = TradeEvent(eventID: identifier, kind: kind, userUUID: party.user, confirmation)
        event.fireID = report.fireID
        event.signalID = report.signalID
        event.nodeID = report.nodeID ?? party.nodeID
        event.account = party.account
        event.server = party.server
        event.currency = report.currency ?? party.currency
        event.ticket = report.ticket
        event.symbol = report.symbol
        event.direction = report.direction
        event.lot = report.lot
        event.openPrice = report.openPrice
        event.closePrice = report.closePrice
        event.stopLoss = report.stopLoss
        event.takeProfit = report.takeProfit
        event.reason = report.reason
        event.message = report.message
        event.balance = report.balance
        event.equity = report.equity
        event.freeMargin = report.freeMargin
        event.brokerTime = report.closeTime ?? report.timestamp
        return event
    }

    /// `close_failed`, `closed_some`, `unknown_command`: booked and shown, without an effect on a position.
    private mutating func note(
        _ confirmation: Confirmation, _ context: ConfirmationContext, _ party: Party
    ) -> TradeEvent {
        let report = confirmation.report
        var identifier = EventIdentity.frame(confirmation)
        var isKnown = true
        var lifecycle: TradeLifecycle?
        if let ticket = report.ticket, let account = party.account {
            identifier = EventIdentity.attempt(confirmation, user: party.user, account: account, ticket: ticket)
            lifecycle = self.lifecycle(party, ticket, context)
            isKnown = lifecycle != nil || !context.positions.isEmpty
        }
        var event = event(identifier, report.kind, confirmation, party)
        event.symbol = event.symbol ?? lifecycle?.symbol
        event.canonicalSymbol = event.symbol.map { catalogue.canonical($0) }
        event.direction = event.direction ?? lifecycle?.direction
        event.isOrphan = !isKnown
        return event
    }
}

/// Whose message it is, as far as message and look-up tell.
struct Party: Sendable, Equatable {
    static let unknownUser = "unknown"

    let user: String
    let account: String?
    let server: String?
    let nodeID: String?
    let currency: String?

    init(_ report: TradeReport, _ context: ConfirmationContext) {
        user = report.userUUID ?? context.userUUID ?? Party.unknownUser
        account = report.account ?? context.account
        server = report.server ?? context.server
        nodeID = report.nodeID ?? context.node["node_id"]
        currency = context.node["currency"]
    }

    /// Whether a ticket of this party can be told from another's.
    var isNamed: Bool { account != nil && (user != Party.unknownUser || server != nil) }

    static func accountName(user: String, account: String) -> String {
        "\(KeyPart.encode(user))|\(KeyPart.encode(account))"
    }
}
