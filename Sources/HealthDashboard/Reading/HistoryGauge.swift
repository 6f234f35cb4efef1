import Domain
import ServiceKit
import Wire

/// Makes the samples of the ``History`` from what the dashboard knows each second.
struct HistoryGauge {
    private var counters: [String: (value: Int64, at: Int64)] = [:]

    mutating func sample(_ snapshot: Snapshot, now: Timestamp) -> HistorySample {
        var values = [
            "terminals": String(snapshot.summary.nodes.active), "positions": String(snapshot.summary.positions.open),
            "health_score": String(snapshot.judgement.score),
            "unaccounted": String(FireLedger(snapshot, now: now).unaccounted),
        ]
        for (currency, amount) in snapshot.summary.equity { values["equity.\(currency)"] = amount.money }
        for (currency, amount) in snapshot.summary.positions.profit {
            values["unrealised.\(currency.isEmpty ? "unknown" : currency)"] = amount.money
        }
        for (currency, amount) in Statistics.realised(snapshot) { values["realised.\(currency)"] = amount.money }
        for (name, counter) in [("ticks_per_s", "ticks"), ("frames_per_s", "frames")] {
            if let rate = rate(counter, snapshot) { values[name] = "\((rate * 10).rounded() / 10)" }
        }
        return HistorySample(time: now.milliseconds, values: values)
    }

    /// Since the report before; nil without two of them, or after a restart began to count anew.
    private mutating func rate(_ counter: String, _ snapshot: Snapshot) -> Double? {
        guard let service = snapshot.services.first(where: { $0.name == .handshakeProcessor }), service.state.isUp,
            let value = service.counters[counter]?.text.flatMap({ Int64($0) }),
            let at = service.report["updated_at"].flatMap({ Int64($0) })
        else {
            counters[counter] = nil
            return nil
        }
        guard let before = counters[counter] else {
            counters[counter] = (value, at)
            return nil
        }
        // The same report again says nothing new.
        guard at > before.at else { return rates[counter] }
        counters[counter] = (value, at)
        guard value >= before.value else {
            rates[counter] = nil
            return nil
        }
        let rate = Double(value - before.value) * 1000 / Double(at - before.at)
        rates[counter] = rate
        return rate
    }

    private var rates: [String: Double] = [:]
}
