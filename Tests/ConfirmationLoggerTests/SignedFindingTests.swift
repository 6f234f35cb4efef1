import Domain
import Foundation
import Journal
import Testing
import Trading
import Wire

@testable import ConfirmationLogger

/// What claims to be a witness' finding is believed with position-tracker's signature only.
@Suite("Signed findings")
struct SignedFindingTests {
    private static let finding: JSONObject = [
        "result": .string("order_closed"), "source": .string("inferred"), "witness": .string("operator"),
        "user_uuid": .string("u"), "account": .string("1"), "server": .string("S"), "ticket": .integer(7),
        "profit": .decimal("-5.00"),
    ]
    private let secret: SharedSecret

    init() {
        secret = SharedSecret(
            path: FileManager.default.temporaryDirectory.appending(path: "witness-\(UUID().uuidString)").path)
        _ = secret.refresh()
    }

    private func item(_ object: JSONObject, _ change: ([UInt8]) -> [UInt8] = { $0 }) throws -> WindowItem {
        let frame = AcceptedFrame(
            sequence: 3, receivedAt: Timestamp(milliseconds: 1), source: .receipts, flags: [],
            bytes: change(object.bytes))
        return WindowItem(try FrameReading.decode(frame.bytes, []), frame, secret)
    }

    private func signed(_ object: JSONObject) throws -> JSONObject {
        var object = object
        object[JSONObject.signatureName] = .string(try #require(secret.signature(of: object.signedBytes)))
        return object
    }

    @Test("a signed one is taken, with the request id it got on its way")
    func taken() throws {
        defer { try? FileManager.default.removeItem(atPath: secret.path) }
        var object = try signed(Self.finding)
        object["request_id"] = .string("41")
        let found = try item(object)
        #expect(!found.isForged)
        #expect(found.confirmation?.report.witness == "operator")
        #expect(found.confirmation?.report.isInferred == true)
    }

    @Test("without a signature, with another's, or changed behind it, nothing of it is taken")
    func forged() throws {
        defer { try? FileManager.default.removeItem(atPath: secret.path) }
        var other = Self.finding
        other[JSONObject.signatureName] = .string(String(repeating: "0", count: 64))
        var changed = try signed(Self.finding)
        changed["profit"] = .decimal("-5000.00")
        var added = try signed(Self.finding)
        added["node_id"] = .string("n")
        added["seq"] = .integer(9)
        for object in [Self.finding, other, changed, added] {
            let found = try item(object)
            #expect(found.isForged)
            #expect(found.confirmation == nil && found.receipt == nil && found.questions.isEmpty)
        }
        // Escaped letters are the same word.
        let escaped = try item(Self.finding) {
            Array(String(decoding: $0, as: UTF8.self).replacing("inferred", with: "\\u0069nferred").utf8)
        }
        #expect(escaped.isForged)
    }

    @Test("a terminal's own confirmation needs none, and its word on witnesses is not heard")
    func ordinary() throws {
        defer { try? FileManager.default.removeItem(atPath: secret.path) }
        var object = Self.finding
        object["source"] = nil
        let found = try item(object)
        #expect(!found.isForged)
        #expect(found.confirmation != nil && found.confirmation?.report.witness == nil)
    }

    @Test("what was decided stands, whatever the secret is now")
    func decided() throws {
        defer { try? FileManager.default.removeItem(atPath: secret.path) }
        var found = try item(Self.finding)
        #expect(found.isForged)
        var event = Scripts.closed(7, Amount("-5") ?? .zero)
        event.source = .inferred
        found.earlier = [event]
        #expect(found.questions.count == 1)
    }
}
