import Domain
import Glibc
import Journal
import Redis
import ServiceKit
import Wire

/// What Redis has beside what the journals have: marks, trades and sums, and the ledger's rows and counters.
struct JournalComparison {
    /// One thing that was compared.
    struct Finding: Equatable {
        let name: String
        let journal: String
        let redis: String
        let isGood: Bool
        var note = ""

        var line: String {
            let words = isGood ? (journal == redis ? "equal" : "in order") : "DIFFERENT"
            let values = journal == redis ? journal : "journal \(journal), Redis \(redis)"
            return "\(name): \(values): \(words)" + (note.isEmpty ? "" : " (\(note))")
        }
    }

    private let mesh: Mesh
    let redis: RedisConnection
    /// As long as rows of trades are kept, less a day for what expires meanwhile, in milliseconds.
    private static let tradesKept: Int64 = 89 * 86_400_000
    static let idsPerCall = 1000

    init(_ mesh: Mesh) {
        self.mesh = mesh
        redis = RedisConnection(mesh.configuration.redis)
    }

    /// - Throws: ``ToolError``, `RedisConnectionError`.
    func run(_ names: [JournalCommand.Name]) throws -> [Finding] {
        var findings: [Finding] = []
        for name in names {
            do throws(JournalError) {
                let path = name.directory(mesh)
                guard let identifier = try JournalReader.identifier(directory: path) else { continue }
                findings += try compare(name, path, identifier)
            } catch {
                throw ToolError(ExitStatus.denied, "the journal can't be read: \(error)")
            }
        }
        return findings
    }

    private func compare(
        _ name: JournalCommand.Name, _ path: String, _ identifier: String
    ) throws(JournalError) -> [Finding] {
        let goal = try JournalComparison.lastMover(name, path)
        guard let reached = reach(goal, name, identifier) else {
            let absent = (try? redis.call(["PING"])) == nil ? "Redis does not answer" : "no mark: Redis was emptied"
            return [Finding(name: "\(name.rawValue) mark", journal: identifier, redis: absent, isGood: false)]
        }
        let mark = JournalComparison.mark(
            name, reached.mark, goal: goal, last: try JournalComparison.last(path), isMoving: reached.isMoving)
        return [mark] + (name == .confirmations ? try confirmations(path, reached.mark) : try ledger(path, identifier))
    }

    /// The last record that Redis must have: a frame of a terminal, or a write of the ledger that was not taken back.
    private static func lastMover(_ name: JournalCommand.Name, _ path: String) throws(JournalError) -> UInt64 {
        guard name == .confirmations else { return try LedgerTotals.Refusals(directory: path).lastMover }
        let reader = JournalReader(directory: path)
        var found: UInt64 = 0
        while let item = try reader.next() {
            guard case .record(let record) = item, [.confirmations, .receipts].contains(record.source) else { continue }
            found = record.sequence
        }
        return found
    }

    private static let patienceMilliseconds: Int64 = 10_000
    private static let restMilliseconds: Int64 = 2_000

    /// The mark once it is where the journal was when we looked: what is under way gets a moment, what stands still does
    /// not catch up. Nil where Redis has none.
    private func reach(
        _ goal: UInt64, _ name: JournalCommand.Name, _ identifier: String
    ) -> (mark: UInt64, isMoving: Bool)? {
        guard var mark = try? name.mark(redis, identifier: identifier) else { return nil }
        let began = SystemClock.monotonicMilliseconds()
        var moved: Int64?
        while mark < goal {
            let now = SystemClock.monotonicMilliseconds()
            guard now - (moved ?? began) < JournalComparison.restMilliseconds,
                now - began < JournalComparison.patienceMilliseconds
            else { break }
            poll(nil, 0, 50)
            guard let next = try? name.mark(redis, identifier: identifier) else { return nil }
            if next != mark { moved = SystemClock.monotonicMilliseconds() }
            mark = next
        }
        let since = moved.map { SystemClock.monotonicMilliseconds() - $0 }
        return (mark, since.map { $0 < JournalComparison.restMilliseconds } ?? false)
    }

    /// Behind what moves it is different, unless it is on its way there.
    static func mark(
        _ name: JournalCommand.Name, _ mark: UInt64, goal: UInt64, last: UInt64, isMoving: Bool
    ) -> Finding {
        let isBehind = mark < goal
        return Finding(
            name: "\(name.rawValue) mark", journal: "last record \(last)", redis: "applied \(mark)",
            isGood: mark <= last && (!isBehind || isMoving),
            note: isBehind
                ? "behind by \(goal - mark)\(isMoving ? ", and catching up" : " of what it must have")"
                : mark > last ? "ahead by \(mark - last)" : "")
    }

    private static func last(_ path: String) throws(JournalError) -> UInt64 {
        let reader = JournalReader(directory: path, from: .max - 1)
        while try reader.next() != nil {}
        return reader.expected - 1
    }

    private func confirmations(_ path: String, _ mark: UInt64) throws(JournalError) -> [Finding] {
        for attempt in 0..<3 {
            // Booking goes on: the sums hold for the mark they were read at, before and after.
            guard let before = reading() else { break }
            let totals = try JournalTotals(directory: path, upTo: before.mark)
            guard let missing = missingTrades(totals) else { break }
            // A scope that began between the two questions was not asked for.
            let sums = totals.statistics
            guard sums.keys.allSatisfy({ before.statistics[$0] != nil }) || attempt == 2 else { continue }
            return judged(totals, missing)
                + JournalComparison.scopes(sums, before.statistics, isWhole: totals.first ?? 1 <= 1)
        }
        return [Finding(name: "trades", journal: "read", redis: "does not answer, mark \(mark)", isGood: false)]
    }

    /// The mark and the sums of every scope in one step.
    private func reading() -> (mark: UInt64, statistics: [String: [String: String]])? {
        guard let scopes = try? redis.call(["SMEMBERS", "stats_scopes"], milliseconds: 10_000).texts else { return nil }
        let names = Set(scopes).union(["global"]).sorted()
        let questions = [["HGET", "journal:state", "applied_seq"]] + names.map { ["HGETALL", "stats:\($0)"] }
        guard
            let replies = try? redis.call(pipeline: [["MULTI"]] + questions + [["EXEC"]], milliseconds: 30_000),
            let results = replies.last?.array, results.count == questions.count
        else { return nil }
        var statistics: [String: [String: String]] = [:]
        for (name, result) in zip(names, results.dropFirst()) { statistics[name] = result.dictionary ?? [:] }
        return (results[0].text.flatMap { UInt64($0) } ?? 0, statistics)
    }

    private func missingTrades(_ totals: JournalTotals) -> Int? {
        let since = SystemClock.now().milliseconds - JournalComparison.tradesKept
        let identifiers = totals.identifiers(since: since)
        var found: Int64 = 0
        for start in stride(from: 0, to: identifiers.count, by: JournalComparison.idsPerCall) {
            let some = identifiers[start..<min(start + JournalComparison.idsPerCall, identifiers.count)]
            guard let reply = try? redis.call(["EXISTS"] + some.map { "trade:\($0)" }).integer else { return nil }
            found += reply
        }
        return identifiers.count - Int(found)
    }

    private func judged(_ totals: JournalTotals, _ missing: Int) -> [Finding] {
        var findings = [
            Finding(
                name: "trades", journal: "\(totals.count)", redis: "\(totals.count - missing)", isGood: missing == 0,
                note: missing == 0 ? "" : "\(missing) of the last 89 days have no row")
        ]
        if totals.damages > 0 {
            findings.append(
                Finding(
                    name: "journal", journal: "\(totals.damages) damages", redis: "-", isGood: false,
                    note: "meshctl journal verify names them"))
        }
        return findings
    }

    /// Marks of the script itself, no sums.
    private static let unsummed: Set<String> = ["last_updated", "has_provisional"]
    static let shownDifferences = 20

    /// Every scope by itself, field by field: the sums of `global`, and how many scopes of each other kind are equal.
    static func scopes(
        _ journal: [String: [String: Int64]], _ redis: [String: [String: String]], isWhole: Bool
    ) -> [Finding] {
        let note = isWhole ? "" : "the journal's first records are past their time: not comparable"
        var findings: [Finding] = []
        var equal: [String: Int] = [:]
        var different: [String: [Finding]] = [:]
        for scope in Set(journal.keys).union(redis.keys).sorted() {
            let kind = String(scope.prefix { $0 != ":" })
            let fields = JournalComparison.fields(scope, journal[scope] ?? [:], redis[scope] ?? [:])
            if kind == "global" {
                findings += fields.filter { $0.journal != "0" || $0.redis != "0" }
                continue
            }
            let wrong = fields.filter { !$0.isGood }
            equal[kind, default: 0] += wrong.isEmpty ? 1 : 0
            different[kind, default: []] += wrong
        }
        for kind in Set(equal.keys).union(different.keys).sorted() {
            let wrong = different[kind] ?? []
            let scopes = Set(wrong.map { $0.name.prefix { $0 != " " } }).count
            let all = "\(equal[kind, default: 0] + scopes) scopes"
            findings.append(
                Finding(
                    name: "stats:\(kind)", journal: all, redis: wrong.isEmpty ? all : "\(scopes) of them other sums",
                    isGood: wrong.isEmpty))
            findings += wrong.prefix(shownDifferences)
        }
        guard !isWhole else { return findings }
        return findings.map {
            Finding(name: $0.name, journal: $0.journal, redis: $0.redis, isGood: true, note: note)
        }
    }

    private static func fields(_ scope: String, _ journal: [String: Int64], _ redis: [String: String]) -> [Finding] {
        Set(journal.keys).union(redis.keys).subtracting(unsummed).sorted().map { field in
            let (mine, stored) = ("\(journal[field] ?? 0)", redis[field] ?? "0")
            return Finding(name: "stats:\(scope) \(field)", journal: mine, redis: stored, isGood: mine == stored)
        }
    }

    static func json(_ findings: [Finding]) -> JSONObject {
        let items = findings.map { finding -> JSON in
            .object([
                "name": .string(finding.name), "journal": .string(finding.journal), "redis": .string(finding.redis),
                "ok": .bool(finding.isGood), "note": .string(finding.note),
            ])
        }
        return ["ok": .bool(findings.allSatisfy(\.isGood)), "findings": .array(items)]
    }
}
