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
        lookUp(request, ["HGETALL", "ledger"]) { [unowned self] reply in
            var counts = (reply.dictionary ?? [:]).mapValues { Int64($0) ?? 0 }
            for name in LedgerCounts.names + [TrackerStore.contradictedField] { counts[name, default: 0] += 0 }
            let accounted = LedgerCounts.accounted.reduce(0) { $0 + (counts[$1] ?? 0) }
            var object = counts.sortedObject { .integer($0) }
            object["accounted"] = .integer(accounted)
            object["unaccounted"] = .integer((counts["sent"] ?? 0) - accounted)
            let now = SystemClock.now()
            object = object.merging(LedgerSummary(engine.fires.values, now: now).json)
            object["contradictions"] = .array(
                engine.contradictions.prefix(100).map {
                    .object([
                        "fire_id": .text($0.fireID), "state": .text($0.contradicts?.rawValue),
                        "ticket": .integer($0.key.ticket), "user_uuid": .string($0.userUUID),
                        "symbol": .string($0.symbol), "lot": .number($0.lot.description),
                    ])
                })
            object["open"] = .array(
                engine.fires.values.filter { !$0.state.isFinal }.sorted { $0.createdAt < $1.createdAt }.prefix(100).map
                {
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
}
