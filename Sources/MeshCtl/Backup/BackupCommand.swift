import ArgumentParser
import Domain
import Foundation
import Redis
import ServiceKit
import Wire

/// `meshctl backup`.
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write Redis, both journals and what is in hand into one file, while the mesh runs.",
        discussion: """
            Redis is taken at one moment, the journals after it: they hold all that Redis has, and what came since is
            booked from them after a restore. The file is a tar with a manifest and the SHA-256 of everything in it; it is
            read back and checked before this command ends. A journal that is damaged is kept as it is, and said.

            Examples:
              meshctl backup
              meshctl backup /archive/mesh.tar

            Exit codes: 0 written and read back, 2 written, but a journal in it is damaged or missing; 69 there is no
            journal at all, or no Redis: nothing is written.
            """)

    @OptionGroup var target: MeshOption
    @Argument(help: "The file. Default: <var>/backups/mesh-<time>.tar.") var file: String?
    @Flag(help: "With the token of the HTTP interface. Keep such a file as you keep the token.") var withToken = false
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let mesh = try target.mesh()
        let made = try Progress.over("backing up …") { try MeshBackup(mesh, withToken: withToken).write(to: file) }
        Output.show(json ? [made.json.compactText] : made.lines)
        if made.manifest.journals.contains(where: { $0.damages > 0 }) || !made.manifest.missingJournals.isEmpty {
            throw ExitCode(ExitStatus.damaged)
        }
    }
}

/// Puts a backup together.
struct MeshBackup {
    /// What was written.
    struct Made {
        let path: String
        let bytes: Int
        let manifest: BackupManifest

        var json: JSONObject {
            [
                "ok": .bool(manifest.missingJournals.isEmpty), "file": .string(path), "bytes": .integer(bytes),
                "manifest": .object(manifest.json),
            ]
        }

        var lines: [String] {
            ["\(path): \(bytes) bytes, \(manifest.files.count) files, read back and right"] + manifest.lines
        }
    }

    private let mesh: Mesh
    private let withToken: Bool

    init(_ mesh: Mesh, withToken: Bool) {
        self.mesh = mesh
        self.withToken = withToken
    }

    func write(to file: String?) throws -> Made {
        let now = SystemClock.now()
        let path = try MeshBackup.path(file, mesh, now)
        let staging = try BackupStaging(mesh, "backup")
        // The order matters: Redis first, then what is in hand, then the journals, which are ahead of both.
        let redis = try MeshRedis(mesh)
        // Both end with this function, not with their last mention in it.
        defer { withExtendedLifetime((staging, redis)) {} }
        Progress.tell("backup: Redis …")
        let keys = try RedisSnapshot.take(redis.address, to: "\(staging.path)/\(BackupManifest.snapshotName)")
        try staging.takeSpool(of: mesh.configuration.varDirectory)
        for folder in BackupStaging.journalFolders {
            Progress.tell("backup: \(folder) …")
            try staging.take(folder, of: mesh.configuration.varDirectory)
        }
        if withToken {
            try MeshBackup.copyToken(
                from: mesh.configuration.tokenFile, to: "\(staging.path)/\(BackupManifest.tokenName)")
        }
        let manifest = BackupManifest(
            madeAt: now, version: MeshVersion.current, keys: keys, journals: try staging.journals(),
            files: try staging.files())
        guard !manifest.journals.isEmpty else {
            throw ToolError(
                ExitStatus.unavailable,
                "there is no journal in \(mesh.configuration.varDirectory): nothing was backed up. Is this the mesh's "
                    + "folder, and was it ever started?")
        }
        let archive = BackupArchive(path: path)
        Progress.tell("backup: writing \(path) …")
        try archive.write(staging.path, manifest)
        Progress.tell("backup: reading it back …")
        guard try archive.verified() == manifest else {
            throw BackupArchive.damaged("\(path) was not read back as written")
        }
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        return Made(path: path, bytes: size, manifest: manifest)
    }

    /// Readable by its owner only, wherever it is.
    static func copyToken(from path: String, to other: String) throws(ToolError) {
        guard let token = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ToolError(ExitStatus.denied, "there is no token in \(path)")
        }
        try PrivateFile.write(token, to: other)
    }

    private static func path(_ file: String?, _ mesh: Mesh, _ now: Timestamp) throws -> String {
        guard let file else {
            let folder = mesh.configuration.varDirectory + "/backups"
            try PrivateFile.makeDirectory(folder, mode: 0o700)
            let time = "\(now)".prefix(19).replacingOccurrences(of: ":", with: "")
            var path = "\(folder)/mesh-\(time).tar"
            var number = 2
            while FileManager.default.fileExists(atPath: path) {
                path = "\(folder)/mesh-\(time)-\(number).tar"
                number += 1
            }
            return path
        }
        let path = URL(fileURLWithPath: file).standardizedFileURL.path
        guard !FileManager.default.fileExists(atPath: path) else {
            throw ToolError(ExitStatus.denied, "\(path) is there already: a backup never replaces a file")
        }
        return path
    }
}

extension BackupManifest {
    /// Journals every started mesh has and this one does not.
    var missingJournals: [String] {
        BackupStaging.journalFolders.filter { folder in !journals.contains { $0.name == folder } }
    }

    var lines: [String] {
        ["Redis: \(keys) keys at \(madeAt), those included that end within seconds (service reports)"]
            + missingJournals.map { "\($0): MISSING" }
            + journals.map { journal in
                let damage = journal.damages == 0 ? "intact" : "DAMAGED in \(journal.damages) places"
                return "\(journal.name): \(journal.records) records, \(journal.first) to \(journal.last), \(damage)"
            }
    }
}

/// The mesh's Redis: the one that runs, or its own, started for as long as this lives.
final class MeshRedis {
    let address: RedisAddress
    private let started: TemporaryRedis?

    init(_ mesh: Mesh) throws {
        address = mesh.configuration.redis
        let isThere = (try? RedisCheck.answers(mesh.configuration.redis)) != nil
        started = isThere || !mesh.usesOwnRedis ? nil : try TemporaryRedis.own(mesh)
        if !isThere && started == nil { try RedisCheck.answers(address) }
    }
}
