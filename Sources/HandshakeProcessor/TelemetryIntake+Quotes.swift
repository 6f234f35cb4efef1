import Domain
import Fleet
import ServiceKit
import Wire
import ZeroMQ

// Whose quotes and bars are relayed: a terminal's own. Whoever speaks for it from elsewhere would move the prices by which
// it is valued and signals are scored.
extension TelemetryIntake {
    /// Whether the terminal speaks on that connection; asked once in a while for each, not with every quote.
    func isSpeaker(_ node: Int, _ descriptor: Int32, _ now: Timestamp) -> Bool {
        guard isBelieved(nil, engine.nodeID(node), now) else {
            report.count("foreign_quotes")
            return false
        }
        engine.believe(node, on: descriptor, from: message.peerAddress(), at: now)
        return true
    }

    /// Whether a bar is told of a terminal by somebody else.
    func isStrange(_ nodeID: UnsafeBufferPointer<UInt8>, _ descriptor: Int32, _ now: Timestamp) -> Bool {
        guard !nodeID.isEmpty, let node = engine.strangeSpeaker(nodeID: nodeID, on: descriptor, at: now) else {
            return false
        }
        return !isSpeaker(node, descriptor, now)
    }

    /// Whether a quote that names no node may name this user.
    func isOwn(_ user: String, _ now: Timestamp) -> Bool {
        guard isBelieved(user, nil, now) else {
            report.count("foreign_quotes")
            return false
        }
        return true
    }

    /// The same for quotes and bars in an unusual form.
    func isOwn(_ tick: Tick, _ now: Timestamp) -> Bool {
        guard isBelieved(tick.nodeID == nil ? tick.userUUID : nil, tick.nodeID, now) else {
            report.count("foreign_quotes")
            return false
        }
        return true
    }

    func areOwn(_ bars: [Bar], _ now: Timestamp) -> Bool {
        for node in Set(bars.compactMap(\.nodeID)) where !isBelieved(nil, node, now) {
            report.count("foreign_quotes")
            return false
        }
        return true
    }
}
