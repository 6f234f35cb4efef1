import Domain
import Fleet
import ServiceKit
import Wire
import ZeroMQ

// Whose quotes and bars are relayed: a terminal's own. Whoever speaks for it from elsewhere would move the prices by which
// it is valued and signals are scored.
extension TelemetryIntake {
    private static let beliefMilliseconds: Int64 = 1_000

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

    /// Whether a quote or a bar may name this user, whatever node it names: nodes can be made up. Asked once in a while
    /// for each connection, as long as it names the same one.
    func isOwn(_ user: UnsafeBufferPointer<UInt8>, _ descriptor: Int32, _ now: Timestamp) -> Bool {
        guard !user.isEmpty else { return true }
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(user))
        let name = hasher.finalize()
        // A clock that was set back prolongs no belief.
        if let last = believedUsers[descriptor], last.name == name, now < last.until,
            last.until - now <= TelemetryIntake.beliefMilliseconds
        {
            return true
        }
        guard isBelieved(String(decoding: user, as: UTF8.self), nil, now) else {
            report.count("foreign_quotes")
            return false
        }
        // Descriptors are few; this many were never open at once.
        if believedUsers.count >= 100_000 { believedUsers.removeAll() }
        believedUsers[descriptor] = (name, now.adding(milliseconds: TelemetryIntake.beliefMilliseconds))
        return true
    }

    /// The same for quotes and bars in an unusual form.
    func isOwn(_ tick: Tick, _ now: Timestamp) -> Bool {
        guard isBelieved(tick.userUUID, tick.nodeID, now) else {
            report.count("foreign_quotes")
            return false
        }
        return true
    }

    func areOwn(_ bars: [Bar], _ now: Timestamp) -> Bool {
        let strange =
            Set(bars.compactMap(\.nodeID)).contains { !isBelieved(nil, $0, now) }
            || Set(bars.compactMap(\.userUUID)).contains { !isBelieved($0, nil, now) }
        if strange { report.count("foreign_quotes") }
        return !strange
    }
}
