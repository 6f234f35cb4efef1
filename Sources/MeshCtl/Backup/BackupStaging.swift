import Foundation
import Glibc
import Journal
import ServiceKit

/// A folder in which a backup is put together, or unpacked; it goes with its owner.
///
/// It lies in the mesh's own state, so that closed segments can be linked instead of copied, and moved instead of copied
/// when they are restored.
final class BackupStaging {
    /// Folders of `<var>` that are backed up, by the names they have in a backup.
    static let journalFolders = ["journal", "ledger"]

    let path: String

    init(_ mesh: Mesh, _ purpose: String) throws(ToolError) {
        path = "\(mesh.configuration.varDirectory)/\(purpose)-\(UUID().uuidString).tmp"
        try PrivateFile.makeDirectory(mesh.configuration.varDirectory)
        try PrivateFile.makeDirectory(path, mode: 0o700)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Takes a journal while it is written. Closed segments never change and are linked; the newest is copied as far as
    /// it is: what is cut by that is a torn tail. A segment that is compressed or moved meanwhile is there in one form.
    func take(_ folder: String, of varDirectory: String) throws(ToolError) {
        let source = "\(varDirectory)/\(folder)"
        guard FileManager.default.fileExists(atPath: source) else { return }
        for _ in 0..<100 {
            let before = BackupStaging.names(source)
            let target = "\(path)/\(folder)"
            try? FileManager.default.removeItem(atPath: target)
            try PrivateFile.makeDirectory(target, mode: 0o700)
            // Names that are gone when their turn comes: the upkeep was at work, and it is begun again.
            if try take(before, from: source, to: target) { return }
        }
        throw ToolError(ExitStatus.busy, "the segments of \(source) keep changing: try again")
    }

    /// Takes what confirmation-logger has in hand, where there is such a thing. While it runs slots change under the copy;
    /// each has its own check. Taken before the journal: what is written meanwhile is in that, and is not taken twice.
    func takeSpool(of varDirectory: String) throws(ToolError) {
        let source = "\(varDirectory)/\(BackupManifest.spoolName)"
        guard FileManager.default.fileExists(atPath: source) else { return }
        do {
            try FileManager.default.copyItem(atPath: source, toPath: "\(path)/\(BackupManifest.spoolName)")
        } catch {
            throw ToolError(ExitStatus.cannotCreate, "cannot copy \(source): \(error.localizedDescription)")
        }
    }

    private func take(_ names: [String], from source: String, to target: String) throws(ToolError) -> Bool {
        if names.contains(where: { $0.hasPrefix("cold/") }) {
            try PrivateFile.makeDirectory(target + "/cold", mode: 0o700)
        }
        for name in names {
            let isClosed = name.hasSuffix(".gz")
            if isClosed, link("\(source)/\(name)", "\(target)/\(name)") == 0 { continue }
            do {
                try FileManager.default.copyItem(atPath: "\(source)/\(name)", toPath: "\(target)/\(name)")
            } catch {
                if !FileManager.default.fileExists(atPath: "\(source)/\(name)") { return false }
                throw ToolError(ExitStatus.cannotCreate, "cannot copy \(source)/\(name): \(error.localizedDescription)")
            }
        }
        return true
    }

    /// Segments and the anchor, in the order of their numbers; torn tails and the lock are not part of it.
    private static func names(_ folder: String) -> [String] {
        func segments(_ path: String) -> [String] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            return names.filter { $0.hasPrefix("journal-") && ($0.hasSuffix(".log") || $0.hasSuffix(".log.gz")) }
                .sorted()
        }
        let anchor = FileManager.default.fileExists(atPath: folder + "/anchor") ? ["anchor"] : []
        return anchor + segments(folder + "/cold").map { "cold/\($0)" } + segments(folder)
    }

    /// Every file in it with its checksum.
    func files() throws(ToolError) -> [BackupManifest.File] {
        var files: [BackupManifest.File] = []
        let names = (FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []).sorted()
        for name in names where BackupManifest.isOurs(name) {
            var isDirectory: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isDirectory)
            guard isThere, !isDirectory.boolValue else { continue }
            do throws(JournalError) {
                let found = try ChainHash.of(file: "\(path)/\(name)")
                files.append(BackupManifest.File(name: name, bytes: found.bytes, hash: "\(found.hash)"))
            } catch {
                throw ToolError(ExitStatus.cannotCreate, error.description)
            }
        }
        return files
    }

    /// What is in the journals that were taken; damage is kept as it is, and counted.
    func journals() throws(ToolError) -> [BackupManifest.Journal] {
        var journals: [BackupManifest.Journal] = []
        for folder in BackupStaging.journalFolders {
            let directory = "\(path)/\(folder)"
            guard FileManager.default.fileExists(atPath: directory) else { continue }
            do throws(JournalError) {
                let result = try JournalVerification.run(directory: directory, progress: Progress.records(of: folder))
                journals.append(
                    BackupManifest.Journal(
                        name: folder, identifier: try JournalReader.identifier(directory: directory) ?? "",
                        records: result.records, first: result.firstSequence ?? 0, last: result.lastSequence ?? 0,
                        damages: result.damageCount))
            } catch {
                throw ToolError(ExitStatus.cannotCreate, error.description)
            }
        }
        return journals
    }
}
