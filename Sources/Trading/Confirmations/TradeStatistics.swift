import Domain

/// What one booked event adds to the statistics, as exact integers: the script that books it adds nothing of its own.
///
/// Money is in units of 10^-8. `gross_loss` and `largest_loss` are magnitudes. Fields of money carry the currency:
/// `gross_profit.USD`; in account scopes `gross_profit.USD@<server>`, because a login is unique per server only.
public struct StatisticsChange: Sendable, Equatable {
    public struct Step: Sendable, Equatable {
        public let field: String
        public let amount: Int64
    }

    public struct Scope: Sendable, Hashable {
        /// `global`, `symbol:<canonical>`, `account:<account>`: the last part of `stats:…`.
        public let name: String
        /// What stands behind the names of money fields here.
        public let suffix: String
    }

    public private(set) var scopes: [Scope] = []
    /// Counts that need no currency.
    public private(set) var counts: [Step] = []
    /// Sums and counts by currency.
    public private(set) var money: [Step] = []
    /// Magnitudes that replace a smaller one, by currency.
    public private(set) var largest: [Step] = []
    /// Names the position while its profit may still be corrected: its ``largest`` may be taken back then. Else empty.
    public private(set) var revocable = ""
    /// The name under which a ``largest`` of this position is taken back.
    public private(set) var name = ""

    /// What an event changes: its own figures, and for a correction those it takes back. The end of a position that was
    /// counted too early takes back the class it was counted in.
    public static func changes(_ event: TradeEvent) -> (added: StatisticsChange, revoked: StatisticsChange?) {
        var added = StatisticsChange(event)
        let corrected = event.corrects.flatMap { BookedFigures($0) }.map { StatisticsChange($0.event) }
        guard let recounted = event.recounted, !event.isCounted else { return (added, corrected) }
        // The position was counted with another closing: it moves to the class its profit puts it in now.
        var revoked = corrected ?? StatisticsChange(placeOf: event)
        revoked.classify(recounted.profit)
        added.classify(event.positionProfit)
        return (added, revoked)
    }

    /// Nothing yet, in the scopes of an event.
    private init(placeOf event: TradeEvent) {
        name = event.eventID
        if let account = event.account, let ticket = event.ticket {
            name = EventIdentity.lifecycle(user: event.userUUID, account: account, ticket: ticket)
        }
        if event.isRevocable || event.isRevisable { revocable = name }
        let currency = event.statisticsCurrency
        scopes.append(Scope(name: "global", suffix: currency))
        if let symbol = event.canonicalSymbol {
            scopes.append(Scope(name: "symbol:\(KeyPart.encode(symbol))", suffix: currency))
        }
        if let account = event.account {
            let server = KeyPart.encode(event.server ?? "unknown")
            scopes.append(Scope(name: "account:\(KeyPart.encode(account))", suffix: "\(currency)@\(server)"))
        }
    }

    public init(_ event: TradeEvent) {
        self.init(placeOf: event)
        switch event.kind {
        case .opened: counts.append(Step(field: "opened", amount: 1))
        case .failed: counts.append(Step(field: "failed", amount: 1))
        case .closeFailed: counts.append(Step(field: "close_failed", amount: 1))
        case .unknownCommand: counts.append(Step(field: "unknown_commands", amount: 1))
        case .closedAll, .closedSome: counts.append(Step(field: "unresolved_closes", amount: 1))
        case .closed:
            earn(event)
            if event.isCounted { count(event) }
        }
        if event.isOrphan { counts.append(Step(field: "orphans", amount: 1)) }
    }

    /// Each closing's money counts when it comes, also of a part.
    private mutating func earn(_ event: TradeEvent) {
        if let net = event.netProfit, !net.isZero {
            money.append(Step(field: net.isPositive ? "gross_profit" : "gross_loss", amount: net.magnitude.units))
        }
        if let swap = event.swap.flatMap({ Amount($0) }), !swap.isZero {
            money.append(Step(field: "swap", amount: swap.units))
        }
        if let commission = event.commission.flatMap({ Amount($0) }), !commission.isZero {
            money.append(Step(field: "commission", amount: commission.units))
        }
    }

    /// The position as a whole counts once, by what all its closings earned together.
    private mutating func count(_ event: TradeEvent) {
        counts.append(Step(field: "total_trades", amount: 1))
        money.append(Step(field: "total_trades", amount: 1))
        if let duration = event.duration {
            money.append(Step(field: "total_duration_s", amount: duration))
            money.append(Step(field: "timed_trades", amount: 1))
        }
        classify(event.positionProfit)
    }

    private mutating func classify(_ profit: Amount?) {
        let outcome: String =
            switch profit {
            case let profit? where profit.isPositive: "wins"
            case let profit? where profit.isNegative: "losses"
            case .some: "breakeven"
            case nil: "unknown_profit"
            }
        counts.append(Step(field: outcome, amount: 1))
        money.append(Step(field: outcome, amount: 1))
        guard let profit, !profit.isZero else { return }
        let field = profit.isPositive ? "largest_win" : "largest_loss"
        largest.append(Step(field: field, amount: profit.magnitude.units))
    }
}
