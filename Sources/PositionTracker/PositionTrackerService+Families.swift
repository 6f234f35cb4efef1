import Domain
import ServiceKit
import Trading
import Wire

// What the families of `ports.yaml` need of the tracker: commands in words they understand, and a note of
// peers of another socket type on the command port: handshake-processor, which knows the terminals' addresses, finds out
// which of them have to be restarted.
extension PositionTrackerService {
    static let refusedPeersKey = "refused_peers:ea-commands"
    private static let refusedPeersSeconds = "86400"

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
    }
}
