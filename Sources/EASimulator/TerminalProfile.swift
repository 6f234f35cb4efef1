import ArgumentParser
import Domain

/// The EA families that are simulated. Source: ea-wire 0.
enum EAVersion: String, Sendable, CaseIterable, ExpressibleByArgument {
    case v205 = "2.05"
    /// Documented, no source published: heartbeats with positions, closes reported from OnTrade. Source: ea-wire 7.
    case v206H = "2.06H"
    /// No EA in the field: one that keeps the whole contract, with receipts and a position list on demand.
    case own
    case v202 = "2.02"
    case v201 = "2.01"
    case v701 = "7.01"

    /// Whether it is reached by an address of its own, and so by one command for it alone.
    var isDealer: Bool { self == .v205 || self == .v206H || self == .own }
    /// Whether it says by itself what the broker closed.
    var reportsCloses: Bool { self == .v206H || self == .own }
    /// Sockets a terminal of this version opens.
    var socketCount: Int { self == .v701 ? 2 : 3 }
    var text: TerminalText { TerminalText(rawValue) }
}

/// One line of a terminal's MarketWatch.
struct WatchedSymbol: Sendable {
    /// The broker's own name, suffix included.
    let name: TerminalText
    /// Its place in ``Market``.
    let marketIndex: Int
    let digits: Int
}

/// Who a terminal is: what its EA reads from AccountInfo…, TerminalInfo… and its deployment file.
struct TerminalProfile: Sendable {
    var version: EAVersion = .v205
    var userUUID: TerminalText
    var account: Int64
    /// ACCOUNT_COMPANY.
    var company: TerminalText
    /// ACCOUNT_SERVER.
    var server: TerminalText
    var terminalName: TerminalText = "MetaTrader 5"
    var currency: String = "USD"
    var leverage: Int = 500
    var balance: Amount = Amount(10_000)
    var symbols: [WatchedSymbol]
    /// Which of `symbols` the chart shows.
    var chart: Int = 0
    /// The broker's clock minus UTC.
    var brokerOffsetSeconds: Int64 = 10_800

    var chartSymbol: WatchedSymbol { symbols[chart] }

    /// What the EA sets as ZMQ_IDENTITY: its helper counts a terminator that is not there, so a byte is lost.
    ///
    /// Source: ea-wire 1.1. `isCut` false is the EA as it was meant.
    func routingIdentifier(isCut: Bool) -> [UInt8] { isCut ? userUUID.bytes.dropLast() : userUUID.bytes }
}

/// An account's figures in its currency, all exact to the cent.
struct AccountFigures: Sendable, Equatable {
    var balance: Amount
    var equity: Amount
    var margin: Amount
    var freeMargin: Amount
    /// Percent; zero where no position is open, as MQL5 has it.
    var marginLevel: Amount
}
