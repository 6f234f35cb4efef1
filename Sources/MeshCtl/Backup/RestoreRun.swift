import Foundation
import Glibc
import Redis
import ServiceKit
import Wire

/// Brings a backup back and compares.
struct MeshRestore {
    /// What was done, and what a comparison with the backup found.
    struct Report {
        let manifest: BackupManifest
        let keys: Int
        let differences: [String]
        let differenceCount: Int
        /// The backup of what was replaced.
        let replaced: String?

        var isRight: Bool { differenceCount == 0 }

        var lines: [String] {
            (replaced.map { ["what was there is in \($0)"] } ?? [])
                + ["restored: \(keys) keys of Redis and \(manifest.files.count) files, made \(manifest.madeAt)"]
                + differences.map { "DIFFERENT: \(TerminalText.sanitised($0))" }
                + [isRight ? "every key and every journal is as in the backup" : "\(differenceCount) differences"]
        }

        var json: JSONObject {
            [
                "ok": .bool(isRight), "keys": .integer(keys), "files": .integer(manifest.files.count),
                "differences": .array(differences.map { .string($0) }), "difference_count": .integer(differenceCount),
                "replaced": replaced.map { .string($0) } ?? .null,
            ]
        }
    }

    private let mesh: Mesh
    private let archive: BackupArchive
    private let replaces: Bool

    init(_ mesh: Mesh, _ archive: BackupArchive, replaces: Bool) {
        self.mesh = mesh
        self.archive = archive
        self.replaces = replaces
    }

    private var varDirectory: String { mesh.configuration.varDirectory }

    func run() throws -> Report {
        let manifest = try archive.verified()
        guard !mesh.isPresent else {
            throw ToolError(ExitStatus.denied, "\(mesh.title) is running: stop it first, ./stop_all_services.sh")
        }
        try PrivateFile.makeDirectory(varDirectory)
        var locks = try BackupStaging.journalFolders.compactMap { try MeshRestore.lock("\(varDirectory)/\($0)") }
        defer { for lock in locks { close(lock) } }
        let redis = try MeshRedis(mesh)
        defer { withExtendedLifetime(redis) {} }
        var replaced: String?
        if let found = try content(redis.address) {
            guard replaces else {
                throw ToolError(
                    ExitStatus.denied,
                    "this mesh is not empty (\(found)): --replace makes a backup of it and then replaces it")
            }
            replaced = try MeshBackup(mesh, withToken: false).write(to: nil).path
        }
        let staging = try BackupStaging(mesh, "restore")
        Progress.tell("restore: unpacking …")
        try archive.unpack(manifest, into: staging.path)
        let old = try BackupStaging(mesh, "replaced")
        defer { withExtendedLifetime((staging, old)) {} }
        // What confirmation-logger had taken and not yet written belongs to the journal that is replaced, and is in the
        // backup of it.
        try moveAway(BackupManifest.spoolName, old)
        // Journals first: should this be cut off, Redis is rebuilt from them.
        for folder in BackupStaging.journalFolders { try put(folder, staging, old) }
        try putSpool(staging)
        for lock in locks { close(lock) }
        locks = []
        if manifest.files.contains(where: { $0.name == BackupManifest.tokenName }) {
            try MeshBackup.copyToken(
                from: "\(staging.path)/\(BackupManifest.tokenName)", to: mesh.configuration.tokenFile)
        }
        return try fill(redis.address, staging, manifest, replaced)
    }

    private func fill(
        _ address: RedisAddress, _ staging: BackupStaging, _ manifest: BackupManifest, _ replaced: String?
    ) throws -> Report {
        if replaces {
            let reply = try RedisConnection(address).call(["FLUSHDB"], milliseconds: 60_000)
            if let refusal = reply.errorMessage { throw ToolError(ExitStatus.unavailable, refusal) }
        }
        let snapshot = try TemporaryRedis.showing(snapshot: BackupManifest.snapshotName, in: staging.path)
        defer { withExtendedLifetime(snapshot) {} }
        Progress.tell("restore: \(manifest.keys) keys of Redis …")
        let keys = try RedisSnapshot.copy(from: snapshot.address, to: address)
        Progress.tell("restore: comparing every key and file with the backup …")
        let comparison = RedisComparison(RedisAddress(snapshot.address, database: address.database), address)
        try comparison.run()
        var differences = comparison.differences
        let journals = manifest.files.filter { $0.name.contains("/") || $0.name == BackupManifest.spoolName }
        do throws(ToolError) {
            try BackupArchive.check(journals, in: varDirectory)
        } catch {
            differences.append(error.message)
        }
        let count = comparison.count + differences.count - comparison.differences.count
        return Report(
            manifest: manifest, keys: keys, differences: differences, differenceCount: count, replaced: replaced)
    }

    /// What there is already; nil in an empty mesh.
    private func content(_ address: RedisAddress) throws -> String? {
        let size = try RedisConnection(address).call(["DBSIZE"])
        if let refusal = size.errorMessage { throw ToolError(ExitStatus.unavailable, refusal) }
        if let keys = size.integer, keys > 0 { return "\(keys) keys in Redis" }
        for folder in BackupStaging.journalFolders {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(varDirectory)/\(folder)")) ?? []
            if names.contains(where: { $0.hasPrefix("journal-") }) { return "a journal in \(varDirectory)/\(folder)" }
        }
        return nil
    }

    /// A journal's folder takes the place of the one that is there, in one step each.
    private func put(_ folder: String, _ staging: BackupStaging, _ old: BackupStaging) throws(ToolError) {
        let place = "\(varDirectory)/\(folder)"
        try moveAway(folder, old)
        let restored = "\(staging.path)/\(folder)"
        guard FileManager.default.fileExists(atPath: restored) else { return }
        for path in [restored, restored + "/cold"] {
            chmod(path, 0o750)
            BackupArchive.synchronize(path)
        }
        guard rename(restored, place) == 0 else { throw MeshRestore.failure(place) }
        BackupArchive.synchronize(varDirectory)
    }

    private func moveAway(_ name: String, _ old: BackupStaging) throws(ToolError) {
        let place = "\(varDirectory)/\(name)"
        guard rename(place, "\(old.path)/\(name)") == 0 || errno == ENOENT else { throw MeshRestore.failure(place) }
    }

    /// What was in hand when the backup was made: confirmation-logger writes it to the journal at its start.
    private func putSpool(_ staging: BackupStaging) throws(ToolError) {
        let place = "\(varDirectory)/\(BackupManifest.spoolName)"
        let restored = "\(staging.path)/\(BackupManifest.spoolName)"
        guard FileManager.default.fileExists(atPath: restored) else { return }
        chmod(restored, 0o600)
        guard rename(restored, place) == 0 else { throw MeshRestore.failure(place) }
        BackupArchive.synchronize(varDirectory)
    }

    /// The lock of a journal that has one: nobody writes to it while this holds it.
    private static func lock(_ folder: String) throws(ToolError) -> Int32? {
        let descriptor = open(folder + "/lock", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ToolError(
                ExitStatus.denied, "the journal in \(folder) is being written: stop the services first")
        }
        return descriptor
    }

    private static func failure(_ path: String) -> ToolError {
        ToolError(ExitStatus.cannotCreate, "\(path): \(String(cString: strerror(errno)))")
    }
}
