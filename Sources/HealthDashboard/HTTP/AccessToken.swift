import Foundation
import Glibc
import ServiceKit
import Synchronization

/// The token that lets a request change something: the text of `<var>/token`, read by its owner only.
///
/// Made at the first start: 32 random bytes in hexadecimal. ``matches(authorization:)`` may be called from any thread;
/// ``refresh()`` belongs to the loop and follows a file that was changed.
final class AccessToken: Sendable {
    private let path: String
    private let current = Mutex<[UInt8]?>(nil)

    init(path: String) { self.path = path }

    /// Reads the file, making it where there is none.
    /// - Returns: what is wrong, in words, or nil.
    func refresh() -> String? {
        var information = stat()
        if stat(path, &information) != 0 {
            guard errno == ENOENT else { return "\(path) can't be looked at: \(String(cString: strerror(errno)))" }
            if let problem = make() { return problem }
        } else if information.st_mode & 0o077 != 0, chmod(path, 0o600) != 0 {
            return "\(path) can be read by others and its mode can't be changed to 0600"
        }
        guard let data = FileManager.default.contents(atPath: path) else { return "\(path) can't be read" }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        // An empty or short token would let everybody in.
        guard text.utf8.count >= 16 else {
            current.withLock { $0 = nil }
            return "\(path) holds no token of at least 16 characters; remove it to have one made"
        }
        current.withLock { $0 = Array(text.utf8) }
        return nil
    }

    private func make() -> String? {
        var generator = SystemRandomNumberGenerator()
        let text = (0..<32).map { _ in
            let byte = UInt8.random(in: .min ... .max, using: &generator)
            return String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
        // O_EXCL: two that start at once agree on the first one's token.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            return errno == EEXIST ? nil : "\(path) can't be made: \(String(cString: strerror(errno)))"
        }
        defer { close(descriptor) }
        let line = Array("\(text)\n".utf8)
        return write(descriptor, line, line.count) == line.count ? nil : "\(path) can't be written"
    }

    /// Whether `Authorization: Bearer <token>` names it. The time it takes does not tell how much of it was right.
    func matches(authorization header: String?) -> Bool {
        guard let expected = current.withLock({ $0 }), let header else { return false }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return false }
        let given = Array(parts[1].trimmingSpaces().utf8)
        var difference = given.count ^ expected.count
        for index in expected.indices {
            difference |= Int(expected[index] ^ (index < given.count ? given[index] : ~expected[index]))
        }
        return difference == 0
    }
}
