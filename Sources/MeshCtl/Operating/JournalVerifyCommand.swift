import ArgumentParser
import Domain
import Journal
import Redis
import ServiceKit
import Wire

extension JournalCommand {
    /// `meshctl journal verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every record: lengths, checksums, the chain of hashes, the sequence.",
            discussion: """
                Both journals, plain, compressed and cold segments. Each changed, missing or cut record is named with its
                segment, its place in it, and what is wrong. A last record that was not written to its end is the trace of
                a crash, not damage.

                Exit codes: 0 intact, 1 there is no journal, 2 damaged.
                """)

        @OptionGroup var place: Place
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let mesh = try place.mesh()
            var results: [(name: Name, path: String, result: JournalVerification)] = []
            for (name, path) in try place.places(mesh) {
                Progress.tell("\(name.rawValue): reading …")
                defer { Progress.end() }
                do throws(JournalError) {
                    results.append((name, path, try Verify.result(name, path, mesh)))
                } catch {
                    throw ToolError(ExitStatus.denied, "the journal in \(path) can't be read: \(error)")
                }
            }
            let isIntact = results.allSatisfy(\.result.isIntact)
            if json {
                let journals = results.map { JSON.object(Verify.json($0.name, $0.result, $0.path)) }
                print(
                    JSONObject(dictionaryLiteral: ("ok", .bool(isIntact)), ("journals", .array(journals))).compactText)
            } else {
                for found in results { Output.show(Verify.lines(found.result, found.path)) }
            }
            if !isIntact { throw ExitCode(ExitStatus.damaged) }
        }

        /// What Redis has of this very journal must be in it, where there is a mesh to ask.
        static func result(_ name: Name, _ path: String, _ mesh: Mesh?) throws(JournalError) -> JournalVerification {
            let identifier = try JournalReader.identifier(directory: path)
            let mark = identifier.flatMap { identifier in
                mesh.flatMap { try? name.mark(RedisConnection($0.configuration.redis), identifier: identifier) }
            }
            let reached = mark.flatMap { $0 > 0 ? $0 : nil }
            let told = Progress.records(of: name.rawValue)
            let result = try JournalVerification.run(directory: path, reaching: reached, progress: told)
            // The ledger's records go to Redis while they are on their way to the disk: a moment later they are there.
            guard result.damageCount == 1, result.firstDamage?.sequences?.upperBound == reached else { return result }
            return try JournalVerification.run(directory: path, reaching: reached, progress: told)
        }

        static func lines(_ result: JournalVerification, _ path: String) -> [String] {
            let range =
                result.firstSequence.flatMap { first in result.lastSequence.map { ", \(first) to \($0)" } } ?? ""
            var lines = [
                "\(path): \(result.records) records\(range), \(result.bytes) bytes in \(result.segments) segments"
            ]
            lines += result.damages.map { "damaged: \(TerminalText.sanitised($0.description))" }
            let unnamed = result.damageCount - result.damages.count
            if unnamed > 0 { lines.append("and \(unnamed) more") }
            if let tail = result.tornTail {
                lines.append(
                    "a torn tail of \(tail.bytes) bytes in \(tail.segment) at byte \(tail.offset): a record that was being "
                        + "written; it was never acknowledged")
            }
            return lines + [result.isIntact ? "intact" : "damaged in \(result.damageCount) places"]
        }

        static func json(_ name: Name, _ result: JournalVerification, _ path: String) -> JSONObject {
            let damages = result.damages.map { damage -> JSON in
                .object([
                    "kind": .string(damage.kind.rawValue), "segment": .string(damage.segment),
                    "offset": .integer(damage.offset), "file_offset": damage.fileOffset.map { .integer($0) } ?? .null,
                    "bytes": .integer(damage.bytes),
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
                "journal": .string(name.rawValue), "ok": .bool(result.isIntact), "directory": .string(path),
                "segments": .integer(result.segments), "records": .integer(result.records),
                "bytes": .integer(result.bytes), "first_seq": result.firstSequence.map { .integer($0) } ?? .null,
                "last_seq": result.lastSequence.map { .integer($0) } ?? .null,
                "damage_count": .integer(result.damageCount), "damages": .array(damages), "torn_tail": tail ?? .null,
            ]
        }
    }
}
