import Domain
import Redis
import ServiceKit
import Trading

// What a terminal's frames taught us of its way, kept over a restart of ours: 2.05 says nothing for up to 30 s after it.
extension PositionTrackerService {
    /// Longer than any terminal is silent while its market is open.
    private static let identitySeconds = "3600"

    static func identityKey(_ nodeID: String) -> String { "terminal_identity:\(nodeID)" }

    /// Not kept in the journal: where Redis forgot it the next frame brings it back.
    func rememberIdentity(_ node: String, _ user: String, _ identity: [UInt8], _ heardAt: Timestamp) {
        guard redis.isReady else { return }
        let key = PositionTrackerService.identityKey(node)
        redis.send([
            "HSET", key, "node_id", node, "user_uuid", user, "identity", hexadecimal(identity), "heard_at",
            String(heardAt.milliseconds),
        ])
        redis.send(["EXPIRE", key, PositionTrackerService.identitySeconds])
    }

    /// A row of `terminal_identity:<node_id>`, for a node that node-registry calls active.
    func restoreIdentity(_ row: [String: String]) {
        guard let node = row["node_id"], let user = row["user_uuid"],
            let identity = row["identity"].flatMap(bytes(hexadecimal:))
        else { return }
        engine.restore(identity: identity, user: user, node: node)
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func bytes(hexadecimal text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}
