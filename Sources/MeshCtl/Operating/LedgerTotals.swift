import Journal
import Wire

/// What position-tracker's journal makes of fires and positions, read here on our own and without Redis: the state of
/// each row, and the counters. Source: docs/contract.md, section 4.
struct LedgerTotals {
    /// The state of each row, by its key: `fire:<id>`, `position:<name>`.
    private(set) var states: [String: String] = [:]
    /// When rows that are over end, in seconds since 1970; Redis may have forgotten them from then on.
    private(set) var ends: [String: Int64] = [:]
    /// The hash `ledger` as its increments make it.
    private(set) var counters: [String: Int64] = [:]
    /// What was counted before this journal began, of rows that nobody has any more.
    private(set) var before: [String: Int64] = [:]
    /// The first record there was; later ones are all that can be counted.
    private(set) var first: UInt64?
    private(set) var damages = 0

    static let fires = "fire:"
    static let positions = "position:"
    private static let ledger = "ledger"
    private static let all = "0"

    /// Reads a journal up to a record.
    init(directory: String, upTo mark: UInt64) throws(JournalError) {
        let refusals = try Refusals(directory: directory)
        let reader = JournalReader(directory: directory)
        var isBeginning = true
        while let item = try reader.next(below: mark + 1) {
            guard case .record(let record) = item else {
                damages += 1
                continue
            }
            if first == nil { first = record.sequence }
            guard record.source == .ledger, let object = (try? JSON(record.bytes))?.object else { continue }
            if isBeginning, object["kind"]?.text != "snapshot" {
                isBeginning = false
                noteBeginning()
            }
            take(object, refusals.steps[record.sequence] ?? [])
        }
        if isBeginning { noteBeginning() }
    }

    /// From records that stand elsewhere: one record's text each, numbered from 1.
    init(records: [String]) {
        let refusals = Refusals(records: records)
        first = 1
        noteBeginning()
        for (index, text) in records.enumerated() {
            guard let object = (try? JSON(text))?.object else { continue }
            take(object, refusals.steps[UInt64(index + 1)] ?? [])
        }
    }

    /// The snapshot a journal begins with may count rows that had their end.
    private mutating func noteBeginning() {
        before = counters
        for (name, sum) in sums { before[name, default: 0] -= sum }
    }

    private mutating func take(_ record: JSONObject, _ refused: Set<String>) {
        guard record["kind"]?.text != "refused", !refused.contains(LedgerTotals.all) else { return }
        for (index, step) in (record["steps"]?.array ?? []).enumerated() where !refused.contains(String(index + 1)) {
            for command in step.object?["do"]?.array ?? [] { apply(command.array?.compactMap(\.text) ?? []) }
        }
    }

    private mutating func apply(_ words: [String]) {
        guard words.count > 1 else { return }
        let key = words[1]
        guard key != LedgerTotals.ledger else { return count(words) }
        guard LedgerTotals.isRow(key) else { return }
        switch words[0] {
        case "HSET":
            for index in stride(from: 2, to: words.count - 1, by: 2) where words[index] == "state" {
                states[key] = words[index + 1]
            }
        case "DEL":
            states[key] = nil
            ends[key] = nil
        case "KEEP":
            // Without a moment the row ends when it was to end anyway.
            if words.count > 2, let end = Int64(words[2]) { ends[key] = end }
        case "EXPIREAT": ends[key] = words.count > 2 ? Int64(words[2]) : nil
        case "PEXPIREAT": ends[key] = words.count > 2 ? Int64(words[2]).map { $0 / 1000 } : nil
        case "PERSIST": ends[key] = nil
        default: break
        }
    }

    private mutating func count(_ words: [String]) {
        switch words[0] {
        case "HINCRBY" where words.count == 4: counters[words[2], default: 0] += Int64(words[3]) ?? 0
        case "HSET":
            for index in stride(from: 2, to: words.count - 1, by: 2) {
                counters[words[index]] = Int64(words[index + 1])
            }
        case "DEL": counters = [:]
        default: break
        }
    }

    static func isRow(_ key: String) -> Bool { key.hasPrefix(fires) || key.hasPrefix(positions) }

    /// Counters that are sums over the states of rows; `denied` counts refusals, of which a row may have had several.
    private static let accounted = ["filled", "rejected", "never_executed"]
    private static let unaccounted = ["sent", "acknowledged", "unknown"]
    static let summed = Set(accounted + ["sent", "unknown", "expired"])

    /// What the rows add up to.
    var sums: [String: Int64] {
        var sums: [String: Int64] = [:]
        for (key, state) in states where key.hasPrefix(LedgerTotals.fires) {
            if LedgerTotals.accounted.contains(state) || LedgerTotals.unaccounted.contains(state) {
                sums["sent", default: 0] += 1
            }
            if LedgerTotals.accounted.contains(state) || state == "unknown" || state == "expired" {
                sums[state, default: 0] += 1
            }
        }
        return sums
    }

    /// Rows, and `ledger`, that records after one name: on their way while others are compared.
    static func named(directory: String, after mark: UInt64) throws(JournalError) -> Set<String> {
        let reader = JournalReader(directory: directory, from: mark + 1)
        var keys: Set<String> = []
        while let item = try reader.next() {
            guard case .record(let record) = item, record.source == .ledger,
                let object = (try? JSON(record.bytes))?.object
            else { continue }
            for step in object["steps"]?.array ?? [] {
                for command in step.object?["do"]?.array ?? [] {
                    if let key = command.array?.dropFirst().first?.text { keys.insert(key) }
                }
            }
        }
        return keys
    }
}

extension LedgerTotals {
    /// Records of the tracker's journal that did not take effect, whole or in steps, as later records say.
    struct Refusals {
        /// Numbers of steps by the record's sequence, `0` for all of it.
        private(set) var steps: [UInt64: Set<String>] = [:]
        /// The last record that Redis must have: not one that was taken back, nor the first parts of an unfinished write.
        private(set) var lastMover: UInt64 = 0
        private var waiting: [UInt64] = []
        private var movers: [UInt64] = []
        private var lastHead: String?
        private static let newest = 4096
        /// How a record begins that is a part of a write.
        private static let heads = ["write", "snapshot"].map { "{\"kind\":\"\($0)\",\"part\":\"" }

        init(directory: String) throws(JournalError) {
            let reader = JournalReader(directory: directory)
            while let item = try reader.next() {
                guard case .record(let record) = item, record.source == .ledger else { continue }
                take(record.sequence, String(decoding: record.bytes, as: UTF8.self))
            }
            finish()
        }

        init(records: [String]) {
            for (index, text) in records.enumerated() { take(UInt64(index + 1), text) }
            finish()
        }

        private mutating func take(_ sequence: UInt64, _ text: String) {
            let head = Refusals.heads.first { text.hasPrefix($0) }
            let part = head.map { text.dropFirst($0.count).prefix { $0 != "\"" } }
            if part == nil || head != lastHead { refuseWaiting() }
            lastHead = head
            waiting = part == "more" ? waiting + [sequence] : []
            guard text.hasPrefix("{\"kind\":\"refused\"") else {
                // Only the newest can be taken back.
                if movers.count == Refusals.newest { movers.removeFirst(Refusals.newest / 2) }
                return movers.append(sequence)
            }
            guard let object = (try? JSON(text))?.object, let of = object["of"]?.text.flatMap({ UInt64($0) }),
                let numbers = object["numbers"]?.text
            else { return }
            steps[of, default: []].formUnion(numbers.split(separator: ",").map(String.init))
        }

        private mutating func refuseWaiting() {
            for sequence in waiting { steps[sequence, default: []].insert(LedgerTotals.all) }
            waiting = []
        }

        private mutating func finish() {
            refuseWaiting()
            lastMover = movers.last { steps[$0]?.contains(LedgerTotals.all) != true } ?? 0
        }
    }
}
