import Domain
import Foundation
import Glibc
import ServiceKit
import Wire

/// `<var>/run/mesh.json`: when the running mesh was started and with which options. Readable by its owner only, since
/// an option may hold the password of a Redis.
struct MeshRecord: Equatable {
    var startedAt: Timestamp
    var version: String
    var options: StartOptions

    var json: JSON {
        let environment = options.environment.sortedObject { JSON.string($0) }
        return .object([
            "version": .string(version), "started_at": .string("\(startedAt)"),
            "options": .object([
                "config": .text(options.config), "demo": .bool(options.isDemo), "listen": .text(options.listen),
                "redis": .text(options.redis), "allow_unsafe_redis": .bool(options.allowUnsafeRedis),
            ]),
            "environment": .object(environment),
        ])
    }

    init(startedAt: Timestamp, version: String, options: StartOptions) {
        self.startedAt = startedAt
        self.version = version
        self.options = options
    }

    init?(_ json: JSON) {
        guard let object = json.object, let fields = object["options"]?.object,
            let startedAt = object["started_at"]?.text.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        self.startedAt = startedAt
        version = object["version"]?.text ?? "unknown"
        options = StartOptions(config: fields["config"]?.text, environment: [:])
        options.isDemo = fields["demo"]?.bool ?? false
        options.listen = fields["listen"]?.text
        options.redis = fields["redis"]?.text
        options.allowUnsafeRedis = fields["allow_unsafe_redis"]?.bool ?? false
        for field in object["environment"]?.object?.fields ?? [] {
            options.environment[field.name] = field.value.text
        }
    }

    static func read(_ path: String) -> MeshRecord? {
        guard let data = FileManager.default.contents(atPath: path), let json = try? JSON(Array(data)) else {
            return nil
        }
        return MeshRecord(json)
    }

    func write(_ path: String) throws(ToolError) { try PrivateFile.write(json.compactText + "\n", to: path) }
}

/// Files that only their owner may read.
enum PrivateFile {
    /// Writes beside the file and renames, so that a reader sees the old or the new one.
    static func write(_ text: String, to path: String) throws(ToolError) {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(temporary) }
        let bytes = Array(text.utf8)
        let written = Glibc.write(descriptor, bytes, bytes.count)
        close(descriptor)
        guard written == bytes.count, rename(temporary, path) == 0 else { throw failure(path) }
    }

    /// Makes a directory with its parents; an existing one is good.
    static func makeDirectory(_ path: String, mode: Int = 0o750) throws(ToolError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
        } catch {
            throw ToolError(ExitStatus.noPermission, "cannot create the directory \(path): \(reason(error))")
        }
        guard access(path, W_OK | X_OK) == 0 else { throw failure(path) }
    }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        guard let underlying, underlying.domain == NSPOSIXErrorDomain else { return error.localizedDescription }
        return String(cString: strerror(Int32(underlying.code)))
    }

    private static func failure(_ path: String) -> ToolError {
        let number = errno
        let isDenied = number == EACCES || number == EPERM || number == EROFS
        return ToolError(
            isDenied ? ExitStatus.noPermission : ExitStatus.cannotCreate,
            "cannot write \(path): \(String(cString: strerror(number)))")
    }
}
