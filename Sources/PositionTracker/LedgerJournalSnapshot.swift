/// What Redis has of the ledger at a start, as commands that make it so again.
///
/// Every command replaces what is there: from such records on, a replay is right whatever came before them.
struct LedgerSnapshot {
    private(set) var commands: [[String]] = []

    /// One record is at most so large, in bytes of its commands.
    private static let recordBytes = 128 << 10
    private static let valuesPerCommand = 400

    /// A row as it was read; `expiresAt` in milliseconds since 1970, nil for none.
    mutating func add(row: [String: String], key: String, expiresAt: Int64? = nil) {
        commands.append(["DEL", key])
        guard !row.isEmpty else { return }
        let pairs = row.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
        add(pairs, after: ["HSET", key])
        if let expiresAt { commands.append(["PEXPIREAT", key, String(expiresAt)]) }
    }

    mutating func add(set: [String], key: String) {
        commands.append(["DEL", key])
        add(set.sorted(), after: ["SADD", key])
    }

    /// Members of an index with their scores; what is in it already stays.
    mutating func add(index: [(member: String, score: String)], key: String) {
        add(index.flatMap { [$0.score, $0.member] }, after: ["ZADD", key])
    }

    mutating func add(_ command: [String]) { commands.append(command) }

    /// In pieces, since a list may be long.
    private mutating func add(_ values: [String], after head: [String]) {
        for start in stride(from: 0, to: values.count, by: LedgerSnapshot.valuesPerCommand) {
            commands.append(head + values[start..<min(start + LedgerSnapshot.valuesPerCommand, values.count)])
        }
    }

    var records: [LedgerRecord] {
        var records: [LedgerRecord] = []
        var part: [[String]] = []
        var bytes = 0
        for command in commands {
            part.append(command)
            bytes += command.reduce(0) { $0 + $1.utf8.count + 4 }
            if bytes >= LedgerSnapshot.recordBytes {
                records.append(LedgerRecord(.snapshot, [LedgerStep(.always, part)]))
                part = []
                bytes = 0
            }
        }
        if !part.isEmpty { records.append(LedgerRecord(.snapshot, [LedgerStep(.always, part)])) }
        return records
    }
}
