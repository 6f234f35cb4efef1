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
        for _ in 0..<3 {
            // Booking goes on: the sums hold for the mark they were read at, before and after.
            guard let before = reading() else { break }
            let totals = try JournalTotals(directory: path, upTo: before.mark)
            guard let missing = missingTrades(totals) else { break }
            return judged(totals, before.statistics, missing)
        }
        return [Finding(name: "trades", journal: "read", redis: "does not answer, mark \(mark)", isGood: false)]
    }

    /// The mark and the sums in one step.
    private func reading() -> (mark: UInt64, statistics: [String: String])? {
        guard
            let replies = try? redis.call(pipeline: [
                ["MULTI"], ["HGET", "journal:state", "applied_seq"], ["HGETALL", "stats:global"], ["EXEC"],
            ]), let results = replies.last?.array, results.count == 2, let statistics = results[1].dictionary
        else { return nil }
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

    private func judged(_ totals: JournalTotals, _ known: [String: String], _ missing: Int) -> [Finding] {
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
        let isWhole = totals.first ?? 1 <= 1
        for (field, value) in totals.statistics.sorted(by: { $0.key < $1.key }) {
            let stored = known[field] ?? "0"
            findings.append(
                Finding(
                    name: "stats:global \(field)", journal: "\(value)", redis: stored,
                    isGood: stored == "\(value)" || !isWhole,
                    note: isWhole ? "" : "the journal's first records are past their time: not comparable"))
        }
        return findings
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
