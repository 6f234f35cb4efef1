import Redis

/// The one script by which position-tracker changes its ledger in Redis: check, write, and move the mark, in one step.
///
/// The mark `ledger:state` says up to which record of the tracker's own journal Redis has everything. A call names the
/// mark it expects; where Redis has another one (it was emptied, restored, replaced) nothing is done and the answer is
/// `GAP`. So each record takes effect once, whatever connections do.
enum TrackerScripts {
    static let stateKey = "ledger:state"
    /// Which of the last records were refused, in whole or in part: for an answer that a lost connection swallowed.
    static let refusedKey = "ledger:refused"
    static let markPrefix = "seq."
    /// A command of the script's own: a position's row gets the sum of its closings.
    static let sumCommand = "CLOSINGS"
    /// A command of the script's own, `KEEP <key> <seconds since 1970>`: the row ends then, but not before the record
    /// that says so is in an archived segment. With an empty moment: when it was to end anyway.
    static let keepCommand = "KEEP"
    /// Rows that are over and not archived yet: key -> `<record> <moment>`.
    static let unarchivedKey = "ledger:unarchived"

    /// How a call treats its records.
    enum Mode: String {
        /// Done for the first time.
        case live
        /// Read from the journal again.
        case replay
        /// Not in the journal: the mark is checked and stays.
        case free
    }

    static func makeWrite() -> RedisScript { RedisScript(name: "ledger", source: source) }

    /// All records are one argument: Redis reads 16 kB of a client in a turn, unless they are of one long argument. In small
    /// ones a call waits for turn after turn behind the calls of others. Each record is `<sequence> <skip> <bytes>`, a line
    /// feed and so many bytes of text: what can't be read is that record alone.
    ///
    /// - Parameter records: sequence, what is known to have been refused (`,1,3,`; `,0,` for all of it), text.
    static func values(
        field: String, expected: String, _ mode: Mode, _ records: [(sequence: String, skip: String, text: String)]
    ) -> [String] {
        var list = ""
        list.reserveCapacity(records.reduce(0) { $0 + $1.text.utf8.count + 40 })
        for record in records {
            list += "\(record.sequence) \(record.skip) \(record.text.utf8.count)\n"
            list += record.text
        }
        return [field, expected, mode.rawValue, records.last?.sequence ?? "", list]
    }

    /// What one record came to.
    struct Answer: Equatable {
        /// Number and reason of each step that was refused: `1 no_slot 3`; number 0 is the record as a whole.
        var refused: [(step: Int, reason: String)] = []
        /// Slots in use afterwards, for what takes one.
        var slotsUsed = 0

        static func == (left: Answer, right: Answer) -> Bool {
            left.text == right.text && left.slotsUsed == right.slotsUsed
        }

        var text: String { refused.map { "\($0.step) \($0.reason)" }.joined(separator: "\n") }

        init(_ text: String, slotsUsed: Int = 0) {
            self.slotsUsed = slotsUsed
            refused = text.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ", maxSplits: 1)
                guard let first = words.first, let step = Int(first) else { return nil }
                return (step, words.count > 1 ? String(words[1]) : "")
            }
        }
    }

    enum Outcome: Equatable {
        case done([Answer], complaints: [String])
        /// Redis has another mark.
        case gap
        /// Nothing was done.
        case failed(String)
    }

    static func outcome(_ reply: RedisValue, count: Int) -> Outcome {
        if let message = reply.errorMessage { return message.hasPrefix("GAP") ? .gap : .failed(message) }
        guard let parts = reply.array, parts.count == 2, let answers = parts[0].array, answers.count == count else {
            return .failed("the script answered in another form")
        }
        return .done(
            answers.map { answer in
                let pair = answer.array ?? []
                return Answer(pair.first?.text ?? "", slotsUsed: Int(pair.last?.integer ?? 0))
            }, complaints: parts[1].texts)
    }
}
