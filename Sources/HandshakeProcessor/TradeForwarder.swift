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
    /// Of these one connection may have so many under way: a flood must not crowd the others' results out.
    private static let shareLimit = 2_000

    private let client: RequestClient
    private let report: ServiceReport
    /// Under way, by connection.
    private var outstanding: [Int32: Int] = [:]

    init(_ environment: ServiceEnvironment) throws {
        client = try RequestClient(
            context: environment.context, endpoint: environment.configuration.connectEndpoint(.eaReceipts),
            reactor: environment.reactor, report: environment.report)
        report = environment.report
    }

    func forward(
        _ frame: UnsafeBufferPointer<UInt8>, from descriptor: Int32, identity: TelemetryEngine.Identity?
    ) {
        guard var object = (try? JSON(frame))?.object else { return report.count("trades_not_forwarded") }
        guard client.undelivered < TradeForwarder.backlogLimit else { return report.reject("trade_backlog_full") }
        guard outstanding[descriptor, default: 0] < TradeForwarder.shareLimit else {
            return report.reject("trade_share_full")
        }
        if let identity {
            // Whose connection it is says whose result it is, whatever it names.
            object["node_id"] = .string(identity.nodeID)
            object["account"] = .string(identity.account)
            object["server"] = .string(identity.server)
        }
        report.count("trades_forwarded")
        outstanding[descriptor, default: 0] += 1
        client.sendReliably(object) { [unowned self] _ in
            let left = outstanding[descriptor, default: 1] - 1
            outstanding[descriptor] = left > 0 ? left : nil
        }
    }
}
