import ArgumentParser
import Foundation
import Journal
import Redis
import ServiceKit

/// `meshctl journal`.
struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Verify the journals, print what is in them, or compare Redis with them.",
        discussion: "All of it only reads, and works while the mesh runs.",
        subcommands: [Verify.self, Replay.self])

    /// The journals of a mesh, each a folder of `<var>`.
    enum Name: String, CaseIterable, ExpressibleByArgument {
        case confirmations
        case ledger

        func directory(_ mesh: Mesh) -> String {
            self == .confirmations ? mesh.journalDirectory : "\(mesh.configuration.varDirectory)/ledger"
        }

        /// Up to where Redis has it, in a hash that is kept by the same step as what it is about.
        func mark(_ redis: RedisConnection, identifier: String) throws(RedisConnectionError) -> UInt64? {
            let place = self == .confirmations ? ("journal:state", "applied_seq.") : ("ledger:state", "seq.")
            return try redis.call(["HGET", place.0, place.1 + identifier]).text.flatMap { UInt64($0) }
        }
    }

    struct Place: ParsableArguments {
        @Option(help: "Only this journal: confirmations or ledger.") var journal: Name?
        @Option(help: "A journal's folder, for example of a backup; the mesh's own without it.") var directory: String?
        @OptionGroup var target: MeshOption

        /// - Throws: ``ToolError`` with code `denied` where there is none.
        func places(_ mesh: Mesh?) throws -> [(name: Name, path: String)] {
            if let directory { return [(journal ?? .confirmations, try JournalCommand.existing(directory))] }
            guard let mesh else { return [] }
            let names = journal.map { [$0] } ?? Name.allCases
            let found = names.map { ($0, $0.directory(mesh)) }.filter { JournalCommand.isDirectory($0.1) }
            if found.isEmpty { _ = try JournalCommand.existing(names[0].directory(mesh)) }
            return found
        }

        func mesh() throws -> Mesh? { directory == nil ? try target.mesh() : nil }
    }

    private static func existing(_ path: String) throws -> String {
        guard isDirectory(path) else {
            throw ToolError(ExitStatus.denied, "there is no journal in \(path): nothing was written here yet")
        }
        return path
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }
}
