import Domain
import Fleet
import ServiceKit
import Wire

/// Hands on what 7.01 says of trades: it has no confirmation port and sends its results with its prices.
///
/// They go to the receipts port as they came, with the account where the terminal itself doesn't say it, and again until
/// the confirmation logger has answered that they are on disk.
final class TradeForwarder {
    private static let backlogLimit = 10_000

    private let client: RequestClient
    private let report: ServiceReport

    init(_ environment: ServiceEnvironment) throws {
        client = try RequestClient(
            context: environment.context, endpoint: environment.configuration.connectEndpoint(.eaReceipts),
            reactor: environment.reactor, report: environment.report)
        report = environment.report
    }

    func forward(_ frame: UnsafeBufferPointer<UInt8>, identity: TelemetryEngine.Identity?) {
        guard var object = (try? JSON(frame))?.object else { return report.count("trades_not_forwarded") }
        guard client.undelivered < TradeForwarder.backlogLimit else { return report.reject("trade_backlog_full") }
        if let identity {
            let known: [(name: String, value: String)] = [
                ("node_id", identity.nodeID), ("account", identity.account), ("server", identity.server),
            ]
            for (name, value) in known where object[name] == nil { object.append(name, .string(value)) }
        }
        report.count("trades_forwarded")
        client.sendReliably(object)
    }
}
