import ArgumentParser
import Domain
import Foundation
import Glibc
import Journal
import ServiceKit
import Wire

extension JournalCommand {
    /// The journal as lines of JSON, or beside what Redis has.
    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a journal's records in order, as JSON lines; or compare what Redis has with them.",
            discussion: """
                Nothing is changed: confirmation-logger and position-tracker themselves rebuild what Redis does not have,
                at every connection. A frame that is UTF-8 is given as `text`, another as `hex`. Damage is a line of its
                own. With --check, trades and statistics are counted from the journal's own decisions, and fires,
                positions and the ledger's counters from position-tracker's writes; the marks, rows and sums in Redis are
                compared with them. A mark that stands still behind its journal is a difference; in a mesh at work it is
                behind by what is under way.

                Examples:
                  meshctl journal replay --from 1200
                  meshctl journal replay --directory backup/journal | grep 21153092
                  meshctl journal replay --check

                Exit codes: 0 everything was read and is equal, 1 there is no journal, 2 damaged or different.
                """)

        @Option(help: "The first record's number.") var from: UInt64 = 1
        @Option(help: "The last record's number.") var to: UInt64 = .max - 1
        @Flag(help: "Print the records: what it does without --check.") var print = false
        @Flag(help: "Compare Redis with the journals.") var check = false
        @Flag(help: "Print the comparison as JSON.") var json = false
        @OptionGroup var place: Place

        func validate() throws {
            guard from > 0, from <= to, to < .max else { throw ValidationError("--from must be 1 to --to") }
            if check && place.directory != nil { throw ValidationError("--check compares the mesh's own journals") }
            if check && print { throw ValidationError("--print or --check, one of them") }
        }

        func run() throws {
            let mesh = try place.mesh()
            if check, let mesh {
                let names = try place.places(mesh).map(\.name)
                let findings = try Progress.over("comparing \(names.map(\.rawValue).joined(separator: " and ")) …") {
                    try JournalComparison(mesh).run(names)
                }
                Output.show(json ? [JournalComparison.json(findings).compactText] : findings.map(\.line))
                if !findings.allSatisfy(\.isGood) { throw ExitCode(ExitStatus.damaged) }
                return
            }
            guard let path = try place.places(mesh).first?.path else { return }
            try show(path)
        }

        private func show(_ path: String) throws {
            let reader = JournalReader(directory: path, from: from)
            var isDamaged = false
            do throws(JournalError) {
                while let item = try reader.next(below: to + 1) {
                    switch item {
                    case .record(let record):
                        if record.sequence > to { return }
                        guard Output.write(line: Replay.json(record).compactText) else { return }
                    case .damage(let damage):
                        isDamaged = true
                        let line: JSONObject = [
                            "damage": .string(damage.kind.rawValue), "message": .string(damage.description),
                        ]
                        guard Output.write(line: line.compactText) else { return }
                    }
                }
            } catch {
                throw ToolError(ExitStatus.denied, "the journal can't be read: \(error)")
            }
            if isDamaged { throw ExitCode(ExitStatus.damaged) }
        }

        static func json(_ record: JournalRecord) -> JSONObject {
            let source: String =
                switch record.source {
                case .confirmations: "ea-confirmations"
                case .receipts: "ea-receipts"
                case .decision: "decision"
                case .ledger: "ledger"
                default: "source-\(record.source.rawValue)"
                }
            var object: JSONObject = [
                "seq": .integer(record.sequence), "received_at": .string("\(record.receivedAt)"),
                "source": .string(source),
            ]
            if record.flags.contains(.multipart) { object.append("multipart", .bool(true)) }
            if record.flags.contains(.foreign) { object.append("foreign_address", .bool(true)) }
            if let text = String(validating: record.bytes, as: UTF8.self) {
                object.append("text", .string(text))
            } else {
                let hex = record.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                object.append("hex", .string(hex))
            }
            return object
        }
    }
}
