import Foundation
import Yams

/// A configuration that can't be used: which file, what is wrong with it.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public let path: String
    public let message: String

    public init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// Reading YAML files: one place that turns a missing, unreadable or misspelt file into one clear line.
public enum ConfigurationFile {
    public static func text(path: String) throws(ConfigurationError) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            let exists = FileManager.default.fileExists(atPath: path)
            throw ConfigurationError(path, exists ? "it can't be read (permission?)" : "there is no such file")
        }
        guard let text = String(data: data, encoding: .utf8) else { throw ConfigurationError(path, "it is not UTF-8") }
        return text
    }

    public static func mapping(path: String) throws(ConfigurationError) -> [String: Any] {
        try mapping(yaml: try text(path: path), path: path)
    }

    public static func mapping(yaml: String, path: String) throws(ConfigurationError) -> [String: Any] {
        do {
            let value = try Yams.load(yaml: yaml)
            if value == nil { return [:] }
            guard let mapping = value as? [String: Any] else {
                throw ConfigurationError(path, "it must be a mapping of names to values")
            }
            return mapping
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError(path, "it is not YAML: \(error)".replacing("\n", with: " "))
        }
    }
}
