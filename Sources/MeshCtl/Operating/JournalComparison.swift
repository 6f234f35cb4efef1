import Domain
import Journal
import Redis
import ServiceKit
import Wire

/// What Redis has beside what the journals have: marks, trades and sums.
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
    private let redis: RedisConnection
    /// As long as rows of trades are kept, less a day for what expires meanwhile, in milliseconds.
    private static let tradesKept: Int64 = 89 * 86_400_000
    private static let idsPerCall = 1000

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
        guard let mark = try? name.mark(redis, identifier: identifier) else {
            let absent = (try? redis.call(["PING"])) == nil ? "Redis does not answer" : "no mark: Redis was emptied"
            return [Finding(name: "\(name.rawValue) mark", journal: identifier, redis: absent, isGood: false)]
        }
        let last = try JournalComparison.last(path)
        // Records of decisions and of what was refused are behind the last one that moved the mark.
        var findings = [
            Finding(
                name: "\(name.rawValue) mark", journal: "last record \(last)", redis: "applied \(mark)",
                isGood: mark <= last)
        ]
        if name == .confirmations { findings += try confirmations(path, mark) }
        return findings
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
    private static let shownDifferences = 20

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
