/// How much one connection of the command port may say. An EA says HELLO once and HEARTBEAT every 30 s; after an outage a
/// thousand of them come at once. Whoever says more is not heard, and costs nobody else anything.
///
/// A value; times are monotonic milliseconds. Owned by the loop's thread.
struct TerminalQuota {
    enum Verdict: Equatable {
        case admitted
        /// The stable word that is counted.
        case refused(String)
    }

    private struct Speaker {
        var frames: Double
        var hellos: Double
        var refilledAt: Int64
        var users: Set<String> = []
    }

    static let frameBurst: Double = 2_000
    static let framesPerSecond: Double = 2
    static let helloBurst: Double = 30
    static let hellosPerSecond: Double = 0.2
    /// A terminal speaks for one user; a connection that goes through names is looking for one.
    static let mostUsers = 16
    static let mostBytes = 128

    private var speakers: [Int32: Speaker] = [:]

    /// Whether a connection may say this now.
    mutating func take(_ number: Int32, user: String, node: String, isHello: Bool, now: Int64) -> Verdict {
        guard TerminalQuota.isName(user), TerminalQuota.isName(node) else { return .refused("bad_identity") }
        var speaker =
            speakers[number]
            ?? Speaker(frames: TerminalQuota.frameBurst, hellos: TerminalQuota.helloBurst, refilledAt: now)
        let seconds = Double(max(0, now - speaker.refilledAt)) / 1000
        speaker.refilledAt = now
        speaker.frames = min(TerminalQuota.frameBurst, speaker.frames + seconds * TerminalQuota.framesPerSecond)
        speaker.hellos = min(TerminalQuota.helloBurst, speaker.hellos + seconds * TerminalQuota.hellosPerSecond)
        defer { speakers[number] = speaker }
        guard speaker.users.contains(user) || speaker.users.count < TerminalQuota.mostUsers else {
            return .refused("too_many_users")
        }
        guard speaker.frames >= 1, !isHello || speaker.hellos >= 1 else { return .refused("over_quota") }
        speaker.frames -= 1
        if isHello { speaker.hellos -= 1 }
        speaker.users.insert(user)
        return .admitted
    }

    mutating func ended(_ number: Int32) { speakers[number] = nil }

    private static func isName(_ text: String) -> Bool {
        (1...mostBytes).contains(text.utf8.count) && !text.utf8.contains { $0 < 0x20 || $0 == 0x7F }
    }
}
