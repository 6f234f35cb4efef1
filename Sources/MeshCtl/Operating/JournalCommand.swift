import ArgumentParser
import Domain
import Foundation
import Journal
import Redis
import ServiceKit
import Wire

/// `meshctl journal`.
struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Verify the journal of confirmations, or print what is in it.",
        discussion: "Both only read, and work while the mesh runs.",
        subcommands: [Verify.self, Replay.self])

    struct Place: ParsableArguments {
        @Option(help: "The journal's folder, for example of a backup; the mesh's own without it.") var directory:
            String?
        @OptionGroup var target: MeshOption

        func path() throws -> String {
            let path = try directory ?? target.mesh().journalDirectory
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
                throw ToolError(ExitStatus.denied, "there is no journal in \(path): nothing was confirmed here yet")
            }
            return path
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every record: lengths, checksums, the chain of hashes, the sequence.",
            discussion: """
                A last record that was not written to its end is the trace of a crash, not damage.

                Exit codes: 0 intact, 1 there is no journal, 2 damaged.
                """)

        @OptionGroup var place: Place
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let path = try place.path()
            let result: JournalVerification
            do throws(JournalError) {
                result = try JournalVerification.run(directory: path, reaching: try? reached())
            } catch {
                throw ToolError(ExitStatus.denied, "the journal can't be read: \(error)")
            }
            if json {
                print(Verify.json(result, path).compactText)
            } else {
                for line in Verify.lines(result, path) { print(line) }
            }
            if !result.isIntact { throw ExitCode(ExitStatus.damaged) }
        }

        /// What the mesh has booked of this very journal must be in it.
        private func reached() throws -> UInt64? {
            guard place.directory == nil, let name = try JournalReader.identifier(directory: place.path()) else {
                return nil
            }
            let reply = try RedisConnection(place.target.mesh().configuration.redis).call(
                ["HGET", "journal:state", "applied_seq.\(name)"])
            return reply.text.flatMap { UInt64($0) }.flatMap { $0 > 0 ? $0 : nil }
        }

        static func lines(_ result: JournalVerification, _ path: String) -> [String] {
            let range =
                result.firstSequence.flatMap { first in result.lastSequence.map { ", \(first) to \($0)" } } ?? ""
            var lines = [
                "\(path): \(result.records) records\(range), \(result.bytes) bytes in \(result.segments) segments"
            ]
            lines += result.damages.prefix(100).map { "damaged: \(TerminalText.sanitised($0.description))" }
            if result.damageCount > 100 { lines.append("and \(result.damageCount - 100) more") }
            if let tail = result.tornTail {
                lines.append(
                    "a torn tail of \(tail.bytes) bytes in \(tail.segment) at byte \(tail.offset): a record that was being "
                        + "written; it was never acknowledged")
            }
            return lines + [result.isIntact ? "intact" : "damaged in \(result.damageCount) places"]
        }

        static func json(_ result: JournalVerification, _ path: String) -> JSONObject {
            let damages = result.damages.map { damage -> JSON in
                .object([
                    "kind": .string(damage.kind.rawValue), "segment": .string(damage.segment),
                    "offset": .integer(damage.offset), "bytes": .integer(damage.bytes),
                    "first_seq": damage.sequences.map { .integer($0.lowerBound) } ?? .null,
                    "last_seq": damage.sequences.map { .integer($0.upperBound) } ?? .null,
                    "message": .string(damage.description),
                ])
            }
            let tail = result.tornTail.map { tail -> JSON in
                .object([
                    "segment": .string(tail.segment), "offset": .integer(tail.offset), "bytes": .integer(tail.bytes),
                ])
            }
            return [
                "ok": .bool(result.isIntact), "directory": .string(path), "segments": .integer(result.segments),
                "records": .integer(result.records), "bytes": .integer(result.bytes),
                "first_seq": result.firstSequence.map { .integer($0) } ?? .null,
                "last_seq": result.lastSequence.map { .integer($0) } ?? .null,
                "damage_count": .integer(result.damageCount), "damages": .array(damages), "torn_tail": tail ?? .null,
            ]
        }
    }
}
