import Domain
import ServiceKit
import Wire
import ZeroMQ

/// The live signals as citadel-monitor publishes them: what `signal_id` alone stands for.
struct SignalBoard {
    struct Entry {
        let symbol: String
        let direction: Direction
        let stopLoss: Amount?
        let takeProfit: Amount?
        /// When it was published; nil where it does not say.
        let publishedAt: Timestamp?
        let expiresAt: Timestamp
    }

    private var entries: [String: Entry] = [:]
    private static let maximumCount = 20_000

    /// Takes a published signal or its update in: `ELITE_GUARD_SIGNAL {…}`.
    mutating func take(_ frame: [UInt8], now: Timestamp) {
        guard let space = frame.firstIndex(of: 0x20),
            let object = (try? JSON(Array(frame[(space + 1)...])))?.object
        else { return }
        take(object, now: now)
    }

    mutating func take(_ object: JSONObject, now: Timestamp) {
        guard let signalID = object["signal_id"]?.text else { return }
        if let update = object["update"]?.text, update != "decay" {
            entries[signalID] = nil
            return
        }
        guard let symbol = object["symbol"]?.text,
            let direction = object["direction"]?.text.flatMap({ Direction(wire: $0) })
        else { return }
        if entries.count >= SignalBoard.maximumCount { entries = entries.filter { $0.value.expiresAt > now } }
        entries[signalID] = Entry(
            symbol: symbol, direction: direction, stopLoss: SignalBoard.price(object["stop_loss"] ?? object["sl"]),
            takeProfit: SignalBoard.price(object["take_profit"] ?? object["tp"]),
            publishedAt: SignalBoard.time(object["timestamp"]),
            expiresAt: SignalBoard.time(object["expires_at"]) ?? now.adding(milliseconds: 3_600_000))
    }

    func live(_ signalID: String, now: Timestamp) -> Entry? {
        entries[signalID].flatMap { $0.expiresAt > now ? $0 : nil }
    }

    private static func price(_ value: JSON?) -> Amount? {
        value?.text.flatMap { Amount($0) }.flatMap { $0.isZero ? nil : $0 }
    }

    /// RFC 3339, or an epoch in seconds or milliseconds.
    static func time(_ value: JSON?) -> Timestamp? {
        guard let text = value?.text else { return nil }
        if let time = Timestamp(rfc3339: text) { return time }
        // Epoch milliseconds are more than an Amount holds; seconds may have a fraction.
        if let whole = Int64(text) {
            return whole > 100_000_000_000 ? Timestamp(milliseconds: whole) : Timestamp(seconds: whole)
        }
        return Amount(text).map { Timestamp(milliseconds: $0.units / (Amount.unitsPerOne / 1000)) }
    }
}
