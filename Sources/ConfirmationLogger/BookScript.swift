import Domain
import Redis
import Trading

/// Books many events in one step that happens whole or not at all, and moves the journal's mark with them.
///
/// An event whose `trade:` row is there already is a duplicate and changes nothing; a correction replaces the row it
/// was made against. The mark is checked first: whoever is not where it thinks it is (Redis was emptied, restored, or
/// has heard another) books nothing. Source of the script: ``BookScript/source``.
enum BookScript {
    static func make() -> RedisScript { RedisScript(name: "book", source: source) }

    private static let day: Int64 = 86_400
    /// Seconds a family stays after its last change. Scopes get a day more: theirs is renewed once a day. Rows of trades
    /// get theirs by ``ExpiryScript`` once they are archived.
    static let scopeExpiry = 401 * day
    static let receiptExpiry = 30 * day

    /// Amounts are split here: what is below stays exact when a double adds up thousands of them.
    static let amountPart: Int64 = 1_000_000_000_000

    /// One event with everything that is written for it. An object, because it goes through several lists and copies of
    /// its dozens of texts would cost more than the work on them.
    final class Entry: Sendable {
        let event: TradeEvent
        let lifecycle: (key: String, lifecycle: TradeLifecycle)?

        init(event: TradeEvent, lifecycle: (key: String, lifecycle: TradeLifecycle)?) {
            self.event = event
            self.lifecycle = lifecycle
        }
    }

    /// - Parameters:
    ///   - expected: the mark as Redis should have it, empty where it should have none.
    ///   - applied: the mark after this call.
    ///   - receipts: which numbers of each node are durable, and whose they are: an empty text where nobody can be named.
    static func values(
        expected: String, applied: UInt64, journal: String, now: Timestamp, entries: [Entry],
        receipts: [(node: String, speaker: String, numbers: HeardNumbers)]
    ) -> [String] {
        var cells = BookCells()
        let changes = entries.map { cells.change($0.event) }
        var input = ScriptInput(capacity: 512 + entries.count * 3000)
        for text in [expected, String(applied), journal, String(now.milliseconds)] { input.append(text) }
        for seconds in [scopeExpiry, receiptExpiry] { input.append(seconds) }
        input.list { input in
            for receipt in receipts {
                input.append(receipt.node)
                input.append(String(receipt.numbers.next - 1))
                input.append(receipt.numbers.aboveText)
                input.append(receipt.speaker)
            }
        }
        input.list { input in
            for scope in cells.scopes { add(scope, to: &input) }
        }
        input.list { input in
            for (entry, change) in zip(entries, changes) { add(entry, change, to: &input) }
        }
        return [input.text]
    }

    private static func add(_ scope: BookCells.Scope, to input: inout ScriptInput) {
        input.list { input in
            input.append(scope.name)
            for fields in [scope.sums, scope.largest] {
                input.list { input in for field in fields { input.append(field.name) } }
                input.append(fields.map(\.cell))
            }
        }
    }

    private static func add(_ entry: Entry, _ change: BookCells.Change, to input: inout ScriptInput) {
        let event = entry.event
        input.list { input in
            input.append(event.eventID)
            input.append(event.replacedSequence.map { String($0) } ?? "")
            input.append(event.fields)
            input.append(entry.lifecycle?.key ?? "")
            input.append(entry.lifecycle.map { $0.lifecycle.fields + [("seq", String(event.sequence))] } ?? [])
            input.list { input in
                for part in change.parts { add(part, to: &input) }
            }
            input.list { input in
                for step in change.largest {
                    input.list { input in
                        input.append(String(step.amount))
                        input.append(step.cells)
                        input.append(step.identifier)
                    }
                }
            }
            input.append(change.revoked)
            input.append(change.name)
        }
    }

    /// Scopes, amounts in two parts (the larger only where there is one), cells by scope.
    private static func add(_ part: BookCells.Part, to input: inout ScriptInput) {
        let isLarge = part.amounts.contains { $0.magnitude >= UInt64(amountPart) }
        input.list { input in
            input.append(part.scopes)
            input.list { input in for amount in part.amounts { input.append(amount % amountPart) } }
            input.list { input in
                if isLarge { for amount in part.amounts { input.append(amount / amountPart) } }
            }
            for cells in part.cells { input.append(cells) }
        }
    }

    /// What became of a call.
    enum Outcome: Equatable {
        /// For each event whether it was booked (true) or a duplicate; and complaints about keys of a wrong type.
        case booked([Bool], complaints: [String])
        /// Redis is at another mark.
        case gap(String)
        case failed(String)
    }

    static func outcome(_ reply: RedisValue, count: Int) -> Outcome {
        if let message = reply.errorMessage {
            let words = message.split(separator: " ", maxSplits: 1)
            return words.first == "GAP" ? .gap(words.count > 1 ? String(words[1]) : "") : .failed(message)
        }
        guard let parts = reply.array, parts.count == 2, let flags = parts[0].array, flags.count == count else {
            return .failed("the script answered in another form")
        }
        return .booked(flags.map { $0.integer == 1 }, complaints: parts[1].texts)
    }
}
