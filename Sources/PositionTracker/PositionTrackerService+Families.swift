import Domain
import Redis
import ServiceKit
import Trading
import Wire

// What the families of `ports.yaml` need of the tracker: commands in words they understand, and a note of
// peers of another socket type on the command port: handshake-processor, which knows the terminals' addresses, finds out
// which of them have to be restarted.
extension PositionTrackerService {
    static let refusedPeersKey = "refused_peers:ea-commands"
    private static let refusedPeersSeconds = "86400"
    static let refusedPeersLimit: Int64 = 1_000

    /// A command in the form the terminal's family understands; nil where it can't be said so that it is understood.
    func commandBytes(_ command: TerminalCommand, _ userUUID: String) -> [UInt8]? {
        guard case .fire(let fire) = command, let entry = engine.directionEntry(of: fire) else {
            return CommandWriter.bytes(command, to: userUUID)
        }
        guard let entry else {
            report.count("directions_not_sayable")
            return nil
        }
        return CommandWriter.bytes(command, to: userUUID, entry: entry)
    }

    /// Keeps who was turned away: address -> times, first and last, in `refused_peers:ea-commands`.
    func keepRefused(_ address: String, _ record: RefusedPeers.Record) {
        guard redis.isReady else { return }
        let text = JSON.object([
            "count": .integer(record.count), "first_at": .integer(record.firstAt.milliseconds),
            "last_at": .integer(record.lastAt.milliseconds),
        ]).compactText
        redis.send(["HSET", PositionTrackerService.refusedPeersKey, address, text])
        redis.send(["EXPIRE", PositionTrackerService.refusedPeersKey, PositionTrackerService.refusedPeersSeconds])
        // The expiry is that of the whole: while somebody is turned away each day, the others are let go of one by one.
        redis.send(["HLEN", PositionTrackerService.refusedPeersKey]) { [weak self] reply in
            guard let self, let count = reply?.integer, count > PositionTrackerService.refusedPeersLimit else { return }
            trimRefused()
        }
    }

    private func trimRefused() {
        redis.send(["HGETALL", PositionTrackerService.refusedPeersKey]) { [weak self] reply in
            guard let self, let fields = reply?.dictionary else { return }
            let surplus = PositionTrackerService.surplusRefused(fields)
            if !surplus.isEmpty { redis.send(["HDEL", PositionTrackerService.refusedPeersKey] + surplus) }
        }
    }

    /// Addresses to let go of: those turned away longest ago, until three quarters of the room are left.
    static func surplusRefused(_ fields: [String: String], limit: Int64 = PositionTrackerService.refusedPeersLimit)
        -> [String]
    {
        let times = fields.mapValues { text in
            (try? JSON(text))?.object?["last_at"]?.text.flatMap { Int64($0) } ?? 0
        }
        let surplus = max(0, times.count - Int(limit) * 3 / 4)
        return times.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.prefix(surplus).map(\.key)
    }
}
