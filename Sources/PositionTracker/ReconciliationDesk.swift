import Domain
import ServiceKit
import Trading

/// What reconciliation's wiring remembers between turns. Owned by the loop's thread.
final class ReconciliationDesk {
    /// Inferred trades go the way of confirmations, to the port where they are answered once they are on disk.
    let receipts: RequestClient
    var isLoading = false
    var isLoaded = false
    /// Events that came before everything was loaded.
    var early: [(event: TradeEvent, at: Timestamp)] = []
    /// A hash of what is shown of each account, so that it is written only where it changed.
    var shown: [String: Int] = [:]
    /// Accounts whose state was written: what is shown of them follows.
    var toShow: Set<String> = []
    /// Accounts still to be looked at in this round.
    var round: [String] = []
    var perSecond = 1
    /// When a terminal, or node-registry for it, was last asked.
    var askedAt: [String: Timestamp] = [:]
    var nextQuery = 0

    init(_ environment: ServiceEnvironment) throws {
        receipts = try RequestClient(
            context: environment.context, endpoint: environment.configuration.connectEndpoint(.eaReceipts),
            reactor: environment.reactor, report: environment.report)
    }
}
