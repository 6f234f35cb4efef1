import Foundation
import Journal
import Testing

@Suite("Shared secret")
struct SharedSecretTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private var path: String { folder.appending(path: "witness.key").path }

    @Test("is made once, for its owner only, and both that read it agree")
    func made() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (first, second) = (SharedSecret(path: path), SharedSecret(path: path))
        #expect(first.signature(of: [1]) == nil)
        #expect(first.refresh() == nil && second.refresh() == nil)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let signature = try #require(first.signature(of: Array("text".utf8)))
        #expect(signature.count == 64)
        #expect(second.isSigned(Array("text".utf8), signature))
        #expect(!second.isSigned(Array("Text".utf8), signature))
        #expect(!second.isSigned(Array("text".utf8), String(signature.dropLast(2))))
        #expect(!second.isSigned(Array("text".utf8), "") && !second.isSigned(Array("text".utf8), "no digits"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["witness.key"])
    }

    /// RFC 4231, test case 1.
    @Test("is HMAC-SHA256")
    func knownAnswer() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let secret = SharedSecret(path: path)
        // A key shorter than the hash is the same as one padded with zeros.
        let digits = String(repeating: "0b", count: 20) + String(repeating: "00", count: 12)
        try Data("\(digits)\n".utf8).write(to: URL(filePath: path))
        #expect(secret.refresh() == nil)
        #expect(
            secret.signature(of: Array("Hi There".utf8))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    }

    @Test("says what is wrong with the file, and goes on with what it had")
    func broken() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let secret = SharedSecret(path: path)
        #expect(secret.refresh() == nil)
        let before = try #require(secret.signature(of: [7]))
        try Data("short\n".utf8).write(to: URL(filePath: path))
        #expect(secret.refresh()?.contains("hexadecimal digits") == true)
        #expect(secret.signature(of: [7]) == before)
        try FileManager.default.removeItem(atPath: path)
        #expect(secret.refresh() == nil)
        #expect(secret.signature(of: [7]) != before)
    }
}
