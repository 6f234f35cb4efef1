import Domain
import Foundation
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

    static func path(_ runDirectory: String) -> String { runDirectory + "/mesh.json" }

    static func read(_ path: String) -> MeshRecord? {
        guard let data = FileManager.default.contents(atPath: path), let json = try? JSON(Array(data)) else {
            return nil
        }
        return MeshRecord(json)
    }

    func write(_ path: String) throws(ToolError) { try PrivateFile.write(json.compactText + "\n", to: path) }
}
