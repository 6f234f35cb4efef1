import Domain
import Journal
import Wire

/// Trades and money as the journal's decisions have them, counted here on our own and without Redis.
///
/// Each event id counts once; a correction takes the place of what it corrects.
struct JournalTotals {
    private struct Effect {
        var kind = ""
        var isCounted = false
        var currency = ""
        /// Net profit of this closing in units of 10^-8.
        var net: Int64 = 0
        var receivedAt: Int64 = 0
    }

    private var effects: [String: Effect] = [:]
    /// The first record there was; later ones are all that can be counted.
    private(set) var first: UInt64?
    /// The newest frame that was decided and counted.
    private(set) var last: UInt64 = 0
    private(set) var damages = 0

    /// Reads a journal up to a frame.
    init(directory: String, upTo limit: UInt64) throws(JournalError) {
        let reader = JournalReader(directory: directory)
        while let item = try reader.next() {
            guard case .record(let record) = item else {
                damages += 1
                continue
            }
            if first == nil { first = record.sequence }
            if record.source == .decision { take(record, limit) }
        }
    }

    private mutating func take(_ record: JournalRecord, _ limit: UInt64) {
        guard let object = try? JSON(record.bytes).object, let frame = object["of"]?.text.flatMap({ UInt64($0) }),
            frame <= limit
        else { return }
        last = max(last, frame)
        for row in object["events"]?.array ?? [] {
            guard let fields = row.object, let id = fields["event_id"]?.text else { continue }
            let isCorrection = fields["correction"]?.text == "1"
            if effects[id] != nil && !isCorrection { continue }
            effects[id] = JournalTotals.effect(fields)
        }
    }

    private static func effect(_ fields: JSONObject) -> Effect {
        var effect = Effect()
        effect.kind = fields["kind"]?.text ?? ""
        effect.isCounted = effect.kind == "closed" && fields["counted"]?.text == "1"
        effect.receivedAt = fields["received_at"]?.text.flatMap { Int64($0) } ?? 0
        let currency = (fields["currency"]?.text ?? "").uppercased()
        let isPlain = (1...12).contains(currency.utf8.count) && currency.utf8.allSatisfy(JournalTotals.isLetterOrDigit)
        effect.currency = isPlain ? currency : "unknown"
        if effect.kind == "closed" { effect.net = fields["net_profit"]?.text.flatMap { Amount($0) }?.units ?? 0 }
        return effect
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
    }

    var count: Int { effects.count }

    /// Ids of events that were received at or after a time (epoch milliseconds).
    func identifiers(since: Int64) -> [String] { effects.filter { $0.value.receivedAt >= since }.map(\.key) }

    /// Fields of `stats:global` as they must be.
    var statistics: [String: Int64] {
        var sums: [String: Int64] = [:]
        for effect in effects.values {
            if effect.kind == "opened" { sums["opened", default: 0] += 1 }
            if effect.kind == "failed" { sums["failed", default: 0] += 1 }
            if effect.isCounted { sums["total_trades", default: 0] += 1 }
            if effect.net > 0 { sums["gross_profit.\(effect.currency)", default: 0] &+= effect.net }
            if effect.net < 0 { sums["gross_loss.\(effect.currency)", default: 0] &-= effect.net }
        }
        return sums
    }
}
