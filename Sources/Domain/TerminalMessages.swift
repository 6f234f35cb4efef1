// What a terminal says, once its dialect has been read. Which version sends which field: ea-wire sections 2 to 7.

/// Who a terminal is and how its account stands: HELLO, handshake, HEARTBEAT, heartbeat and status in one shape.
///
/// Money is the decimal text that arrived. A field a version does not send is nil, never a zero in disguise.
public struct TerminalReport: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// On `ea-commands`, once per EA start.
        case hello
        /// On `ea-telemetry`, once per EA start.
        case handshake
        /// Either port, each 30 s of the broker's clock.
        case heartbeat
        /// 7.01: `status` and `status_report`.
        case status
    }

    public var kind: Kind
    public var nodeID: String?
    public var userUUID: String?
    public var account: String?
    /// ACCOUNT_COMPANY, the broker's legal name.
    public var broker: String?
    /// ACCOUNT_SERVER; with the account's login it names an account in the world.
    public var server: String?
    public var terminal: String?
    public var currency: String?
    public var balance: String?
    public var equity: String?
    public var margin: String?
    public var freeMargin: String?
    public var marginLevel: String?
    public var leverage: String?
    public var version: String?
    public var chartSymbol: String?
    public var symbols: [String] = []
    public var monitoredSymbols: String?
    public var ticksProcessed: String?
    public var socketType: String?
    public var deploymentMode: String?
    public var openPositions: [WitnessedPosition]?
    /// How many positions are open by the terminal's count, where it says so beside the list: the list may be cut.
    public var openPositionCount: Int?
    /// Set where the report answers a `query_positions`: it lists everything (own form).
    public var queryID: String?
    /// The broker's clock as it arrived.
    public var timestamp: String?

    public init(kind: Kind) { self.kind = kind }
}

/// A position as a terminal's heartbeat lists it (2.06H). Source: ea-wire 7.
public struct WitnessedPosition: Sendable, Equatable {
    public var ticket: Int64
    public var fireID: String?
    public var symbol: String?
    public var direction: Direction?
    public var volume: String?
    public var openPrice: String?
    public var currentPrice: String?
    /// Unrealised.
    public var profit: String?
    public var magicNumber: String?

    public init(ticket: Int64) { self.ticket = ticket }
}

/// One quote. Prices are exact; `spread` is left out, since bid and ask say it.
public struct Tick: Sendable, Equatable {
    public var nodeID: String?
    public var userUUID: String?
    /// The broker's own name of the symbol.
    public var symbol: String
    public var bid: Amount
    public var ask: Amount
    /// Decimals the prices arrived with.
    public var decimals: Int
    /// Seconds on the broker's clock, nil where the text was no time.
    public var brokerSeconds: Int64?

    public init(symbol: String, bid: Amount, ask: Amount, decimals: Int) {
        self.symbol = symbol
        self.bid = bid
        self.ask = ask
        self.decimals = decimals
    }
}

/// One completed bar as a terminal computed it.
public struct Bar: Sendable, Equatable {
    public var nodeID: String?
    /// Whom the message names, if anybody.
    public var userUUID: String?
    public var symbol: String
    /// `M1`, `M5`, `M15`.
    public var timeframe: String
    /// Opening time in seconds of the broker's clock.
    public var brokerSeconds: Int64
    public var open: Amount
    public var high: Amount
    public var low: Amount
    public var close: Amount

    public init(
        symbol: String, timeframe: String, brokerSeconds: Int64, open: Amount, high: Amount, low: Amount, close: Amount
    ) {
        self.symbol = symbol
        self.timeframe = timeframe
        self.brokerSeconds = brokerSeconds
        self.open = open
        self.high = high
        self.low = low
        self.close = close
    }
}

/// The end of an EA's run, said by itself.
public struct Disconnect: Sendable, Equatable {
    public var nodeID: String?
    public var userUUID: String?
    public var reason: String?

    public init(nodeID: String? = nil, userUUID: String? = nil, reason: String? = nil) {
        self.nodeID = nodeID
        self.userUUID = userUUID
        self.reason = reason
    }
}

/// What a terminal says of a trade: every confirmation form of every version in one shape.
///
/// Money, prices and lots are the decimal text that arrived. What the version does not say is nil.
public struct TradeReport: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// A position was opened.
        case opened
        /// One position was closed, wholly or in part.
        case closed
        /// `close_all` succeeded for every position: ticket 0, summed lots.
        case closedAll = "closed_all"
        /// `close_all` closed some and failed for others: which ones is unknown.
        case closedSome = "closed_some"
        /// The broker or the terminal refused the order.
        case failed
        /// A close could not be done.
        case closeFailed = "close_failed"
        /// The terminal did not understand a command; nothing traded.
        case unknownCommand = "unknown_command"
    }

    public var kind: Kind
    public var fireID: String?
    public var signalID: String?
    public var nodeID: String?
    public var userUUID: String?
    public var account: String?
    public var server: String?
    public var currency: String?
    /// Nil where the terminal sent 0 or nothing.
    public var ticket: Int64?
    public var symbol: String?
    public var direction: Direction?
    public var lot: String?
    public var openPrice: String?
    /// Nil where the terminal sent 0.00000, which means it does not know.
    public var closePrice: String?
    public var profit: String?
    public var swap: String?
    public var commission: String?
    public var stopLoss: String?
    public var takeProfit: String?
    public var openTime: String?
    public var closeTime: String?
    public var magicNumber: String?
    public var comment: String?
    /// TP_HIT, SL_HIT, MANUAL, STOP_OUT, MARGIN_CALL, as the terminal said.
    public var reason: String?
    public var message: String?
    public var balance: String?
    public var equity: String?
    public var freeMargin: String?
    public var timestamp: String?
    /// The sender's own sequence number, for `ea-receipts`.
    public var sequence: Int64?
    /// How many positions a `close_all` closed, where its words say so.
    public var closedCount: Int?
    /// `inferred` where not the terminal tells it but a witness (own form, from position-tracker); else nil.
    public var source: String?
    /// Who saw it: `positions`, `flat`, `balance`, `quote`, `operator`.
    public var witness: String?
    /// Inferred partial closing: what is left open, so that telling it twice is telling it once.
    public var volumeLeft: String?

    public init(kind: Kind) { self.kind = kind }
}

/// A terminal's answer to a ping.
public struct Pong: Sendable, Equatable {
    public var pingID: String?
    public var nodeID: String?
    public var userUUID: String?

    public init(pingID: String? = nil, nodeID: String? = nil, userUUID: String? = nil) {
        self.pingID = pingID
        self.nodeID = nodeID
        self.userUUID = userUUID
    }
}

/// Any message of any EA version.
public enum TerminalMessage: Sendable, Equatable {
    case report(TerminalReport)
    case tick(Tick)
    case bars([Bar])
    case disconnect(Disconnect)
    case trade(TradeReport)
    case pong(Pong)
    /// `ea-receipts`: from which sequence number to resend.
    case resume(nodeID: String)
    /// A well-formed message of a type nobody here knows: counted and shown.
    case unknown(type: String)
}
