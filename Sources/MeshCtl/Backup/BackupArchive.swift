import Foundation
import Glibc
import Journal
import ServiceKit
import Wire

/// The one file of a backup: a tar of the manifest, its checksum, Redis' snapshot and the journals, as any tar reads it.
/// Closed segments in it are gzip already.
struct BackupArchive {
    let path: String

    /// Packs a folder that has a manifest. The file is there whole, durable and readable by its owner only, or not at all.
    func write(_ staging: String, _ manifest: BackupManifest) throws(ToolError) {
        let text = manifest.json.compactText + "\n"
        try PrivateFile.write(text, to: "\(staging)/\(BackupManifest.name)")
        let hash = ChainHash.of(Array(text.utf8))
        try PrivateFile.write("\(hash)  \(BackupManifest.name)\n", to: "\(staging)/\(BackupManifest.checksumName)")
        let names = [BackupManifest.name, BackupManifest.checksumName] + manifest.files.map(\.name)
        let part = path + ".part"
        unlink(part)
        // Made before tar writes to it, so that nobody else could ever open it.
        let descriptor = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ToolError(ExitStatus.cannotCreate, "cannot write \(part): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        let list = "\(staging)/names"
        try PrivateFile.write(names.joined(separator: "\n") + "\n", to: list)
        let result = try SystemProgram.run(
            "tar",
            [
                "--create", "--format=gnu", "--owner=0", "--group=0", "--numeric-owner", "--directory", staging,
                "--file", part, "--verbatim-files-from", "--files-from", list,
            ], withErrors: true)
        guard result.status == 0, fsync(descriptor) == 0, rename(part, path) == 0 else {
            unlink(part)
            throw ToolError(
                ExitStatus.cannotCreate, "tar could not write \(part): \(TerminalText.sanitised(result.output))")
        }
        BackupArchive.synchronize((path as NSString).deletingLastPathComponent)
    }

    /// Reads everything and checks every checksum; nothing is unpacked.
    ///
    /// - Throws: ``ToolError`` with code `damaged` and what is wrong.
    func verified() throws(ToolError) -> BackupManifest {
        guard access(path, R_OK) == 0 else {
            throw ToolError(ExitStatus.denied, "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        let manifest = try manifest()
        // tar gives each file's bytes to this command, whose words are fixed; nothing of the archive is one of them.
        let command = "printf '%s\\n' \"$TAR_FILENAME\"; sha256sum"
        let result = try SystemProgram.run("tar", ["--extract", "--file", path, "--to-command", command])
        guard result.status == 0 else { throw BackupArchive.damaged("tar can't read \(path) to its end") }
        var found: [String: String] = [:]
        let lines = result.output.split(separator: "\n").map(String.init)
        for index in stride(from: 0, to: lines.count - 1, by: 2) {
            found[lines[index]] = String(lines[index + 1].prefix { $0 != " " })
        }
        for file in manifest.files where found[file.name] != file.hash {
            let state = found[file.name] == nil ? "is missing" : "is not as it was: its checksum differs"
            throw BackupArchive.damaged("\(file.name) in \(path) \(state)")
        }
        let known = Set(manifest.files.map(\.name) + [BackupManifest.name, BackupManifest.checksumName])
        if let stranger = found.keys.first(where: { !known.contains($0) }) {
            throw BackupArchive.damaged("\(path) holds \(stranger), which its manifest does not name")
        }
        return manifest
    }

    private func manifest() throws(ToolError) -> BackupManifest {
        let text = try content(of: BackupManifest.name)
        let sum = try content(of: BackupManifest.checksumName)
        guard sum == "\(ChainHash.of(Array(text.utf8)))  \(BackupManifest.name)\n" else {
            throw BackupArchive.damaged("the manifest in \(path) is not as it was: its checksum differs")
        }
        guard let manifest = BackupManifest(text) else {
            throw BackupArchive.damaged("\(path) is no backup of this mesh, or one of another version")
        }
        return manifest
    }

    private func content(of name: String) throws(ToolError) -> String {
        let result = try SystemProgram.run("tar", ["--extract", "--to-stdout", "--file", path, name])
        guard result.status == 0 else {
            throw BackupArchive.damaged("\(path) is no backup: tar finds no \(name) in it")
        }
        return result.output
    }

    /// Unpacks into an empty folder, and checks what is on the disk then.
    func unpack(_ manifest: BackupManifest, into folder: String) throws(ToolError) {
        let result = try SystemProgram.run(
            "tar",
            ["--extract", "--file", path, "--directory", folder, "--no-same-owner", "--no-same-permissions"],
            withErrors: true)
        guard result.status == 0 else {
            throw ToolError(ExitStatus.cannotCreate, "tar could not unpack: \(TerminalText.sanitised(result.output))")
        }
        try BackupArchive.check(manifest.files, in: folder)
    }

    /// Whether files on the disk are those of a manifest.
    static func check(_ files: [BackupManifest.File], in folder: String) throws(ToolError) {
        for file in files {
            let path = "\(folder)/\(file.name)"
            guard let found = try? ChainHash.of(file: path), found.hash.description == file.hash,
                found.bytes == file.bytes
            else { throw damaged("\(path) is not as it was in the backup") }
        }
    }

    static func damaged(_ words: String) -> ToolError { ToolError(ExitStatus.damaged, words) }

    static func synchronize(_ folder: String) {
        let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
