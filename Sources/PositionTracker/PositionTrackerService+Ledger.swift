import Domain
import Redis
import ServiceKit
import Trading
import Wire

// `outcome` and `ledger`: what became of every commanded trade.
extension PositionTrackerService {
    func outcome(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let fireID = try fields.text("fire_id")
        redis.send(["HGETALL", "fire:\(fireID)"]) { [unowned self] reply in
            guard let row = reply?.dictionary else { return unavailable(request) }
            guard !row.isEmpty else {
                return orders?.fail(request, "unknown_fire", "no fire '\(fireID)' is known here") ?? ()
            }
            orders?.reply(request, FireRow.json(row))
        }
    }

    func ledger(_ request: Request) {
        // Before everything is read nobody knows what is under way: no answer is better than zeros.
        guard isLoaded else {
            return orders?.fail(
                request, DenialReason.stateUnavailable.rawValue,
                "position-tracker is still reading its ledger; try again")
                ?? ()
        }
        redis.send(["HGETALL", "ledger"]) { [unowned self] reply in
            let isRead = reply != nil && reply?.errorMessage == nil
            orders?.reply(request, ledger(isRead ? reply?.dictionary ?? [:] : nil))
        }
    }

    /// - Parameter kept: the counters in Redis; nil where it did not answer. What is under way is in memory: that much is
    ///   said without it, because what is past its deadline is no less so. No answer is heard without it, though.
    private func ledger(_ kept: [String: String]?) -> JSONObject {
        let now = SystemClock.now()
        let summary = LedgerSummary(engine.fires.values, now: now)
        var object: JSONObject
        let names = LedgerCounts.names + [TrackerStore.contradictedField]
        if let kept {
            var counts = kept.mapValues { Int64($0) ?? 0 }
            for name in names { counts[name, default: 0] += 0 }
            let accounted = LedgerCounts.accounted.reduce(0) { $0 + (counts[$1] ?? 0) }
            object = counts.sortedObject { .integer($0) }
            object["accounted"] = .integer(accounted)
            object["unaccounted"] = .integer((counts["sent"] ?? 0) - accounted)
        } else {
            object = [:]
            for name in names + ["accounted"] { object[name] = .null }
            object["unaccounted"] = .integer(summary.unaccounted)
        }
        object["redis"] = .bool(kept != nil)
        object = object.merging(summary.json)
        object["contradictions"] = .array(
            engine.contradictions.prefix(100).map {
                .object([
                    "fire_id": .text($0.fireID), "state": .text($0.contradicts?.rawValue),
                    "ticket": .integer($0.key.ticket), "user_uuid": .string($0.userUUID),
                    "symbol": .string($0.symbol), "lot": .number($0.lot.description),
                ])
            })
        let open = engine.fires.values.filter { !$0.state.isFinal }.sorted { $0.createdAt < $1.createdAt }
        object["open"] = .array(
            open.prefix(100).map {
                .object([
                    "fire_id": .string($0.fireID), "state": .string($0.state.rawValue),
                    "user_uuid": .string($0.userUUID), "symbol": .string($0.symbol),
                    "lot": .number($0.lot.description), "age_s": .integer((now - $0.createdAt) / 1000),
                    "overdue": .bool($0.state.isUnaccounted && $0.expiresAt < now),
                ])
            })
        return object
    }
}
