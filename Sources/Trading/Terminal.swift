public import Domain

/// A user's terminal as the tracker sees it: who it is, how to reach it, whether its chart lives.
public struct Terminal: Sendable, Equatable {
    public let userUUID: String
    public var nodeID: String
    public var server: String?
    public var account: String?
    public var currency: String?
    public var balance: Amount?
    public var equity: Amount?
    public var chartSymbol: String?
    public var symbols: [String] = []
    public var version: String?
    /// Whether node-registry calls the node active.
    public var isActive = true
    /// Learned from its connection, never derived from the UUID: 2.05 cuts the last character. Nil while none is there
    /// that is believed.
    public var identity: [UInt8]?
    public var identityHeardAt: Timestamp?
    /// When the identity was last written down for our next start.
    var identityKeptAt: Timestamp?
    /// The connection its commands go to.
    public internal(set) var link: TerminalLink?
    /// From where it was believed last.
    public internal(set) var address: String?
    /// From where its telemetry comes, as node-registry believes it.
    public internal(set) var telemetryAddress: String?
    /// Who speaks under its name is in doubt.
    public internal(set) var conflict: IdentityConflict?
    /// Until when its connection may show that it lives, since a second one speaks for it.
    public internal(set) var probeUntil: Timestamp?
    /// When its chart symbol's quotes last moved on, by our clock.
    public var chartAdvancedAt: Timestamp?
    var chartBrokerSeconds: Int64 = .min

    public init(userUUID: String, nodeID: String) {
        self.userUUID = userUUID
        self.nodeID = nodeID
    }

    /// Whether nothing may be sent to it because nobody can say who would get it.
    public func isDoubtful(_ now: Timestamp) -> Bool {
        probeUntil != nil || conflict.map { $0.isFencing && $0.isActive(now) } ?? false
    }

    public var conflictReason: String? {
        probeUntil != nil
            ? "a second connection speaks as '\(userUUID)'; which one lives is known within seconds" : conflict?.text
    }

    /// Its server, read where the terminal stands; see ``TerminalRegister/quoting(node:)``.
    mutating func serverInPlace() -> String? { server }

    /// A present tick of its own: the chart's one moves the chart's clock on.
    mutating func take(_ tick: Tick, now: Timestamp) {
        guard chartSymbol == tick.symbol, let seconds = tick.brokerSeconds, seconds > chartBrokerSeconds else { return }
        // The first quote shows that there is a price, not that it moves.
        if chartBrokerSeconds != .min { chartAdvancedAt = now }
        chartBrokerSeconds = seconds
    }

    /// The key of its account, where server and login are known.
    public var accountKey: String? {
        guard let server, let account else { return nil }
        return PositionKey.accountKey(server: server, account: account)
    }
}
