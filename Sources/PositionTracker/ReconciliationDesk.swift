import Domain
import Journal
import ServiceKit
import Trading

/// What reconciliation's wiring remembers between turns. Owned by the loop's thread.
final class ReconciliationDesk {
    /// Inferred trades go the way of confirmations, to the port where they are answered once they are on disk.
    let receipts: RequestClient
    /// What inferred trades are signed with, so that nobody else can tell any.
    let secret: SharedSecret
    /// Inferred trades that could not be signed, or whose signature was not known yet: tried again.
    var unsigned: [InferredTrade] = []
    var isLoading = false
    var isLoaded = false
    /// Events that came before everything was loaded.
    var early: [(event: TradeEvent, at: Timestamp)] = []
    /// Looks that came before everything was loaded: a terminal may not show itself again for half a minute.
    var earlyLooks: [(report: TerminalReport, at: Timestamp)] = []
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
        secret = SharedSecret(path: environment.configuration.witnessKeyFile)
        receipts = try RequestClient(
            context: environment.context, endpoint: environment.configuration.connectEndpoint(.eaReceipts),
            reactor: environment.reactor, report: environment.report)
    }
}
