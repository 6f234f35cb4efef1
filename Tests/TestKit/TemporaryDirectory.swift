import Foundation

/// A directory that is removed with its owner.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init(_ purpose: String) throws {
        let place = URL(fileURLWithPath: NSTemporaryDirectory()).path
        path = "\(place)/mesh-\(purpose)-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    public func write(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}
