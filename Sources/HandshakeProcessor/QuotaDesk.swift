import Domain
import Fleet
import Logging
import ServiceKit
import Wire

/// Says who sends more than he may: in counters, in the node's connection record, and in the log, once a second.
final class QuotaDesk {
    /// Names of flooding terminals, for whoever alerts; gone half a minute after the last of them was.
    static let floodingKey = "flooding_terminals"
    private static let floodingSeconds = "30"
    private static let mostNamed = 200
    private static let warningMilliseconds: Int64 = 30_000

    private struct Flood {
        var shed: Int64
        let since: Timestamp
        var at: Timestamp
        var address: String?
    }

    private let report: ServiceReport
    private let writes: PendingWrites
    private let log: Logger
    private var floods: [String: Flood] = [:]
    private var warnedAt: [String: Int64] = [:]
    /// How long a terminal counts as flooding after its last shed message.
    private static let lastsMilliseconds: Int64 = 10_000

    init(_ environment: ServiceEnvironment, _ writes: PendingWrites) {
        report = environment.report
        log = environment.log
        self.writes = writes
        for name in ["shed_ticks", "shed_bars", "shed_heartbeats"] { report.set(name, 0) }
        report.gauges["terminals_over_quota"] = 0
    }

    /// Takes what was shed in the last second.
    func settle(_ breaches: [QuotaBreach], at now: Timestamp) {
        for breach in breaches {
            report.count("shed_ticks", breach.shed.ticks)
            report.count("shed_bars", breach.shed.bars)
            report.count("shed_heartbeats", breach.shed.reports)
            let address = PeerAddress.of(breach.descriptor)
            let name = breach.nodeIDs.first ?? address ?? "unknown"
            for node in breach.nodeIDs { note(breach.shed.total, of: node, at: now) }
            warn(name, breach, address)
            guard floods[name] != nil || floods.count < QuotaDesk.mostNamed else { continue }
            var flood = floods[name] ?? Flood(shed: 0, since: now, at: now)
            flood.shed += breach.shed.total
            flood.at = now
            flood.address = address ?? flood.address
            floods[name] = flood
        }
        let before = floods.count
        floods = floods.filter { now - $0.value.at < QuotaDesk.lastsMilliseconds && now >= $0.value.since }
        report.gauges["terminals_over_quota"] = Int64(floods.count)
        if !breaches.isEmpty || floods.count != before { writeFloods() }
    }

    private func note(_ shed: Int64, of node: String, at now: Timestamp) {
        let key = "node_connections:\(node)"
        writes.write(["HINCRBY", key, "shed", String(shed)])
        writes.write(["HSET", key, "shed_at", String(now.milliseconds)])
        writes.write(["EXPIRE", key, String(30 * 86_400)])
    }

    private func writeFloods() {
        writes.write(["DEL", QuotaDesk.floodingKey])
        guard !floods.isEmpty else { return }
        var command = ["HSET", QuotaDesk.floodingKey]
        for (name, flood) in floods {
            var object: JSONObject = [
                "shed": .integer(flood.shed), "since": .integer(flood.since.milliseconds),
                "at": .integer(flood.at.milliseconds),
            ]
            if let address = flood.address { object.append("address", .string(address)) }
            command += [name, JSON.object(object).compactText]
        }
        writes.write(command)
        writes.write(["EXPIRE", QuotaDesk.floodingKey, QuotaDesk.floodingSeconds])
    }

    private func warn(_ name: String, _ breach: QuotaBreach, _ address: String?) {
        let now = SystemClock.monotonicMilliseconds()
        if let last = warnedAt[name], now - last < QuotaDesk.warningMilliseconds { return }
        if warnedAt.count >= QuotaDesk.mostNamed { warnedAt.removeAll() }
        warnedAt[name] = now
        log.warning(
            "a terminal sends more than it may and is shed",
            metadata: [
                "terminal": "\(name)", "address": "\(address ?? "unknown")", "ticks": "\(breach.shed.ticks)",
                "bars": "\(breach.shed.bars)", "heartbeats": "\(breach.shed.reports)",
            ])
    }
}
