public import Logging
import Wire

/// Log lines on standard error, one event a line: `time level service message key=value …`, or as JSON.
///
/// The supervisor's svlogd keeps and rotates them. Messages are constant texts; what varies is metadata.
public struct MeshLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level
    let label: String
    let format: MeshConfiguration.LogFormat

    public init(label: String, level: Logger.Level, format: MeshConfiguration.LogFormat) {
        self.label = label
        logLevel = level
        self.format = format
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let merged = metadata.merging(event.metadata ?? [:]) { _, new in new }
        var line =
            switch format {
            case .text: textLine(event, merged)
            case .json: jsonLine(event, merged)
            }
        line.append(0x0A)
        StandardError.write(line)
    }

    private func textLine(_ event: LogEvent, _ metadata: Logger.Metadata) -> [UInt8] {
        var text = "\(SystemClock.now()) \(event.level.rawValue.uppercased()) \(label) \(clean("\(event.message)"))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { text += " \(key)=\(quoted("\(value)"))" }
        return Array(text.utf8)
    }

    /// What came from outside stays on its line and can't play terminal tricks.
    private func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else { return text }
        return String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) })
    }

    private func quoted(_ text: String) -> String {
        let safe = clean(text)
        return safe.contains(" ") || safe.isEmpty ? "\"\(safe.replacing("\"", with: "'"))\"" : safe
    }

    private func jsonLine(_ event: LogEvent, _ metadata: Logger.Metadata) -> [UInt8] {
        var object: JSONObject = [
            "time": .string("\(SystemClock.now())"), "level": .string(event.level.rawValue),
            "service": .string(label), "message": .string("\(event.message)"),
        ]
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { object.append(key, .string("\(value)")) }
        return object.bytes
    }
}
