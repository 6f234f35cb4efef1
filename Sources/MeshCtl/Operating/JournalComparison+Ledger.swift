import Domain
import Glibc
import Journal
import Redis
import ServiceKit

// The ledger beside its own journal: fires, positions and counters.
extension JournalComparison {
    /// A row that ends within a day may be gone.
    private static let endingSeconds: Int64 = 86_400

    /// A difference is looked at once more where the mesh went on meanwhile: a record may have been on its way to the disk.
    func ledger(_ path: String, _ identifier: String) throws(JournalError) -> [Finding] {
        var seen: UInt64?
        var attempts = 3
        while true {
            let (mark, findings) = try ledgerOnce(path, identifier)
            attempts -= 1
            guard attempts > 0, mark != seen, !findings.allSatisfy(\.isGood) else { return findings }
            seen = mark
        }
    }

    private func ledgerOnce(_ path: String, _ identifier: String) throws(JournalError) -> (UInt64?, [Finding]) {
        guard let before = counters(identifier) else { return (nil, [JournalComparison.unanswered]) }
        let totals = try LedgerTotals(directory: path, upTo: before.mark)
        let keys = totals.states.keys.sorted()
        guard let rows = states(keys), let indexed = indexed() else {
            return (nil, [JournalComparison.unanswered])
        }
        // The mesh goes on: what was written since the mark was read is compared another time. Its records may be on their
        // way to the disk, a few milliseconds behind Redis.
        poll(nil, 0, JournalComparison.flushMilliseconds)
        let moving = try LedgerTotals.named(directory: path, after: before.mark)
        let findings = JournalComparison.ledger(
            totals, rows: rows, indexed: indexed, counters: before.counters, moving: moving,
            now: SystemClock.now().milliseconds / 1000)
        return (before.mark, findings)
    }

    private static let flushMilliseconds: Int32 = 100
    private static let unanswered = Finding(
        name: "ledger", journal: "read", redis: "does not answer", isGood: false)

    /// The mark and the counters in one step.
    private func counters(_ identifier: String) -> (mark: UInt64, counters: [String: String])? {
        let questions = [["HGET", "ledger:state", "seq.\(identifier)"], ["HGETALL", "ledger"]]
        guard
            let results = try? redis.call(pipeline: [["MULTI"]] + questions + [["EXEC"]]).last?.array,
            results.count == questions.count, let mark = results[0].text.flatMap({ UInt64($0) })
        else { return nil }
        return (mark, results[1].dictionary ?? [:])
    }

    /// The state of each row that is there.
    private func states(_ keys: [String]) -> [String: String]? {
        var found: [String: String] = [:]
        for start in stride(from: 0, to: keys.count, by: JournalComparison.idsPerCall) {
            let some = keys[start..<min(start + JournalComparison.idsPerCall, keys.count)]
            guard let replies = try? redis.call(pipeline: some.map { ["HGET", $0, "state"] }) else { return nil }
            for (key, reply) in zip(some, replies) { found[key] = reply.text }
        }
        return found
    }

    /// Rows that Redis lists: all fires, and open positions.
    private func indexed() -> [String]? {
        guard let fires = try? redis.call(["ZRANGE", "fires", "0", "-1"], milliseconds: 30_000).texts,
            let open = try? redis.call(["SMEMBERS", "all_open_positions"], milliseconds: 30_000).texts
        else { return nil }
        return fires.map { LedgerTotals.fires + $0 } + open.map { LedgerTotals.positions + $0 }
    }

    /// Rows by their kind, then the counters.
    ///
    /// - Parameters:
    ///   - rows: the states Redis has, by key.
    ///   - indexed: keys of rows that Redis lists: fires, and open positions.
    ///   - moving: what was written since the counters were read.
    static func ledger(
        _ totals: LedgerTotals, rows: [String: String], indexed: [String], counters: [String: String],
        moving: Set<String>, now: Int64
    ) -> [Finding] {
        let isWhole = totals.first ?? 1 <= 1
        let listed = Set(indexed)
        var counts: [String: Int] = [:]
        var wrong: [String: [Finding]] = [LedgerTotals.fires: [], LedgerTotals.positions: []]
        for (key, state) in totals.states.sorted(by: { $0.key < $1.key }) {
            let kind = key.hasPrefix(LedgerTotals.fires) ? LedgerTotals.fires : LedgerTotals.positions
            counts[kind, default: 0] += 1
            let isGone = rows[key] == nil && totals.ends[key].map { $0 < now + endingSeconds } ?? false
            let isUnlisted = kind == LedgerTotals.positions && state == "open" && !listed.contains(key)
            guard rows[key] != state || isUnlisted, !isGone, !moving.contains(key) else { continue }
            let found = rows[key].map { $0 == state ? "\($0), not listed" : $0 } ?? "no row"
            wrong[kind]?.append(Finding(name: key, journal: state, redis: found, isGood: false))
        }
        for key in indexed.sorted() where !moving.contains(key) {
            let kind = key.hasPrefix(LedgerTotals.fires) ? LedgerTotals.fires : LedgerTotals.positions
            let state = totals.states[key]
            guard state == nil ? isWhole : kind == LedgerTotals.positions && state != "open" else { continue }
            wrong[kind]?.append(Finding(name: key, journal: state ?? "no record", redis: "listed", isGood: false))
        }
        var findings: [Finding] = []
        for (name, kind) in [("fires", LedgerTotals.fires), ("positions", LedgerTotals.positions)] {
            let (all, found) = ("\(counts[kind, default: 0]) rows", wrong[kind] ?? [])
            findings.append(
                Finding(
                    name: name, journal: all, redis: found.isEmpty ? all : "\(found.count) of them other states",
                    isGood: found.isEmpty))
            findings += found.prefix(shownDifferences)
        }
        if totals.damages > 0 {
            findings.append(
                Finding(
                    name: "ledger journal", journal: "\(totals.damages) damages", redis: "-", isGood: false,
                    note: "meshctl journal verify names them"))
        }
        return findings + sums(totals, counters, isWhole: isWhole)
    }

    /// Every counter beside the increments in the journal, and those that count rows beside these.
    private static func sums(_ totals: LedgerTotals, _ counters: [String: String], isWhole: Bool) -> [Finding] {
        let sums = totals.sums
        return Set(totals.counters.keys).union(counters.keys).union(sums.keys).sorted().compactMap { name in
            let counted = totals.counters[name] ?? 0
            let rows = LedgerTotals.summed.contains(name) ? (sums[name] ?? 0) + (totals.before[name] ?? 0) : counted
            let stored = counters[name] ?? "0"
            guard isWhole || counted != 0 || stored != "0" else { return nil }
            let isGood = stored == "\(counted)" && rows == counted
            return Finding(
                name: "ledger \(name)", journal: "\(counted)", redis: stored, isGood: isGood || !isWhole,
                note: !isWhole
                    ? "the journal's first records are past their time: not comparable"
                    : rows == counted ? "" : "its rows make \(rows)")
        }
    }
}
