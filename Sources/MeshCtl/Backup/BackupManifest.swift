import Domain
import Foundation
import Journal
import ServiceKit
import Wire

/// What a backup holds: every file with its size and SHA-256, and what was counted when it was made.
struct BackupManifest: Equatable {
    struct File: Equatable {
        let name: String
        let bytes: Int
        let hash: String
    }

    /// One journal as it is in the backup.
    struct Journal: Equatable {
        let name: String
        let identifier: String
        let records: UInt64
        let first: UInt64
        let last: UInt64
        let damages: Int
    }

    static let name = "manifest.json"
    static let checksumName = "manifest.sha256"
    static let snapshotName = "redis.rdb"
    static let tokenName = "token"
    /// What confirmation-logger has taken and not yet written to its journal, by the name it has in `<var>` too.
    static let spoolName = "reception.spool"
    private static let format = 1

    var madeAt: Timestamp
    var version: String
    var keys: Int
    var journals: [Journal]
    var files: [File]

    var json: JSONObject {
        [
            "format": .integer(BackupManifest.format), "made_at": .string("\(madeAt)"), "version": .string(version),
            "redis_keys": .integer(keys),
            "journals": .array(
                journals.map { journal in
                    .object([
                        "name": .string(journal.name), "journal_id": .string(journal.identifier),
                        "records": .integer(journal.records), "first_seq": .integer(journal.first),
                        "last_seq": .integer(journal.last), "damages": .integer(journal.damages),
                    ])
                }),
            "files": .array(
                files.map { file in
                    .object([
                        "name": .string(file.name), "bytes": .integer(file.bytes), "sha256": .string(file.hash),
                    ])
                }),
        ]
    }

    init(madeAt: Timestamp, version: String, keys: Int, journals: [Journal], files: [File]) {
        self.madeAt = madeAt
        self.version = version
        self.keys = keys
        self.journals = journals
        self.files = files
    }

    /// Nil where the text is no manifest of this format.
    init?(_ text: String) {
        guard let object = (try? JSON(Array(text.utf8)))?.object,
            object["format"]?.text == String(BackupManifest.format),
            let madeAt = object["made_at"]?.text.flatMap({ Timestamp(rfc3339: $0) }),
            let files = object["files"]?.array, let journals = object["journals"]?.array
        else { return nil }
        self.madeAt = madeAt
        version = object["version"]?.text ?? "unknown"
        keys = object["redis_keys"]?.text.flatMap { Int($0) } ?? 0
        self.files = []
        for item in files {
            guard let file = item.object, let name = file["name"]?.text, let hash = file["sha256"]?.text,
                let bytes = file["bytes"]?.text.flatMap({ Int($0) }), BackupManifest.isOurs(name)
            else { return nil }
            self.files.append(File(name: name, bytes: bytes, hash: hash))
        }
        self.journals = []
        for item in journals {
            guard let journal = item.object, let name = journal["name"]?.text else { return nil }
            func number(_ field: String) -> UInt64 { journal[field]?.text.flatMap { UInt64($0) } ?? 0 }
            self.journals.append(
                Journal(
                    name: name, identifier: journal["journal_id"]?.text ?? "", records: number("records"),
                    first: number("first_seq"), last: number("last_seq"), damages: Int(clamping: number("damages"))))
        }
    }

    /// Whether a name is one that a backup has: nothing outside the folder it is unpacked in.
    static func isOurs(_ name: String) -> Bool {
        if [snapshotName, tokenName, spoolName].contains(name) { return true }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return (2...3).contains(parts.count) && BackupStaging.journalFolders.contains(String(parts[0]))
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }
}
