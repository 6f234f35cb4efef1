import ArgumentParser
import Domain
import Foundation
import Glibc
import Journal
import ServiceKit
import Wire

extension JournalCommand {
    /// The journal as lines of JSON.
    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the journal's records in order, as JSON lines on standard output.",
            discussion: """
                Nothing is changed: confirmation-logger itself books what Redis does not have yet, whenever it starts.
                A frame that is UTF-8 is given as `text`, another as `hex`. Damage is a line of its own.

                Examples:
                  meshctl journal replay --from 1200
                  meshctl journal replay --directory backup/journal | grep 21153092

                Exit codes: 0 everything was read, 1 there is no journal, 2 parts of it are damaged.
                """)

        @Option(help: "The first record's number.") var from: UInt64 = 1
        @Option(help: "The last record's number.") var to: UInt64 = .max - 1
        @OptionGroup var place: Place

        func validate() throws {
            guard from > 0, from <= to, to < .max else { throw ValidationError("--from must be 1 to --to") }
        }

        func run() throws {
            let reader = JournalReader(directory: try place.path(), from: from)
            var isDamaged = false
            do throws(JournalError) {
                while let item = try reader.next(below: to + 1) {
                    switch item {
                    case .record(let record):
                        if record.sequence > to { return }
                        print(Replay.json(record).compactText)
                    case .damage(let damage):
                        isDamaged = true
                        let line: JSONObject = [
                            "damage": .string(damage.kind.rawValue), "message": .string(damage.description),
                        ]
                        print(line.compactText)
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
                default: "source-\(record.source.rawValue)"
                }
            var object: JSONObject = [
                "seq": .integer(record.sequence), "received_at": .string("\(record.receivedAt)"),
                "source": .string(source),
            ]
            if record.flags.contains(.multipart) { object.append("multipart", .bool(true)) }
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
