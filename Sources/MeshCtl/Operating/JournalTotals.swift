import Domain
import Journal
import Wire

/// Trades and money as the journal's decisions have them, counted here on our own and without Redis.
///
/// Each event id counts once; a correction takes the place of what it corrects.
struct JournalTotals {
    private var effects: [String: JournalEffect] = [:]
    private var names = JournalEffect.Names()
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
            if record.source == .decision { take(record.bytes, limit) }
        }
    }

    /// From decisions that stand elsewhere: one record's text each.
    init(decisions: [String]) {
        for text in decisions { take(Array(text.utf8), .max) }
    }

    private mutating func take(_ bytes: [UInt8], _ limit: UInt64) {
        guard let object = try? JSON(bytes).object, let frame = object["of"]?.text.flatMap({ UInt64($0) }),
            frame <= limit
        else { return }
        last = max(last, frame)
        for row in object["events"]?.array ?? [] {
            guard let fields = row.object, let id = fields["event_id"]?.text else { continue }
            let isCorrection = fields["correction"]?.text == "1"
            if effects[id] != nil && !isCorrection { continue }
            effects[id] = JournalEffect(fields, &names)
            if fields["recounted"]?.text != nil, fields["counted"]?.text != "1" {
                recount(fields)
            }
        }
    }

    /// A correction of a part, or the end of what was counted by a part of it, changes what the position earned that was
    /// counted with another closing.
    private mutating func recount(_ fields: JSONObject) {
        guard let user = fields["user_uuid"]?.text, let account = fields["account"]?.text,
            let ticket = fields["ticket"]?.text
        else { return }
        let total = fields["position_profit"]?.text.flatMap { Amount($0) }?.units
        for (id, effect) in effects
        where effect.isCounted && effect.isOf(user: user, account: account, ticket: ticket, names) {
            effects[id]?.positionProfit = total
        }
    }

    var count: Int { effects.count }

    /// Ids of events that were received at or after a time (epoch milliseconds).
    func identifiers(since: Int64) -> [String] { effects.filter { $0.value.receivedAt >= since }.map(\.key) }

    /// Fields of `stats:<scope>` as they must be, by scope; those that are 0 are absent.
    var statistics: [String: [String: Int64]] {
        var scopes: [String: [String: Int64]] = [:]
        for effect in effects.values { effect.add(to: &scopes, names) }
        return scopes.mapValues { $0.filter { $0.value != 0 } }
    }
}
