import Crypto
import Glibc
import Synchronization

/// A secret that processes of one mesh share as a file of 64 hexadecimal digits, and signatures made with it.
///
/// HMAC-SHA256, written as 64 lower-case hexadecimal digits. The file is made by whoever needs it first, mode 0600.
/// Every call may come from any thread; ``refresh()`` follows a file that was changed. Source: RFC 2104; open(2), link(2).
public final class SharedSecret: Sendable {
    /// Bytes of a new secret; one that is there may be longer.
    private static let count = 32

    public let path: String
    private let key = Mutex<[UInt8]?>(nil)

    public init(path: String) { self.path = path }

    /// Reads the file, making it where there is none.
    /// - Returns: what is wrong and what to do, in words, or nil. With a problem the secret read before stays in use.
    public func refresh() -> String? {
        var information = stat()
        if stat(path, &information) != 0 {
            guard errno == ENOENT else { return "\(path) can't be looked at: \(SharedSecret.lastError)" }
            if let problem = make() { return problem }
        } else if information.st_mode & 0o077 != 0, chmod(path, 0o600) != 0 {
            return "\(path) can be read by others and its mode can't be changed to 0600"
        }
        do throws(JournalError) {
            let text = try JournalFile.open(path, flags: O_RDONLY).read(at: 0, count: 1024)
            guard let bytes = SharedSecret.bytes(hexadecimal: text), bytes.count >= SharedSecret.count else {
                return "\(path) holds no \(2 * SharedSecret.count) hexadecimal digits; remove it to have them made"
            }
            key.withLock { $0 = bytes }
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// The signature of some bytes; nil while there is no secret.
    public func signature(of bytes: [UInt8]) -> String? {
        key.withLock { $0 }.map { key in
            let code = HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: key))
            return SharedSecret.hexadecimal(code)
        }
    }

    /// Whether the signature is that of the bytes. The time it takes does not tell how much of it was right.
    public func isSigned(_ bytes: [UInt8], _ signature: String) -> Bool {
        guard let key = key.withLock({ $0 }), let given = SharedSecret.bytes(hexadecimal: Array(signature.utf8)) else {
            return false
        }
        return HMAC<SHA256>.isValidAuthenticationCode(given, authenticating: bytes, using: SymmetricKey(data: key))
    }

    /// Linked into place when it is whole: two that start at once agree on the first one's.
    private func make() -> String? {
        var generator = SystemRandomNumberGenerator()
        let secret = (0..<SharedSecret.count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let line = Array("\(SharedSecret.hexadecimal(secret))\n".utf8)
        let temporary = "\(path).\(getpid())"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return "\(temporary) can't be made: \(SharedSecret.lastError)" }
        defer { unlink(temporary) }
        let isWritten = write(descriptor, line, line.count) == line.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten else { return "\(temporary) can't be written: \(SharedSecret.lastError)" }
        guard link(temporary, path) == 0 || errno == EEXIST else {
            return "\(path) can't be made: \(SharedSecret.lastError)"
        }
        return nil
    }

    private static var lastError: String { String(cString: strerror(errno)) }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The bytes behind hexadecimal digits, white space at the end aside; nil where it is anything else.
    private static func bytes(hexadecimal text: [UInt8]) -> [UInt8]? {
        let end = text.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? 0
        guard end > 0, end % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: end, by: 2) {
            guard let byte = UInt8(String(decoding: text[index..<index + 2], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}
