import Domain

/// From where messages came before it was known from where terminals speak: Redis was away, and no earlier process had left
/// its copy of the list. They are judged when they are booked, which needs Redis as well. A value.
///
/// What is not kept here (too many, or an earlier process took it) came from an address nobody knows any more.
struct UnjudgedFrames {
    private static let limit = 20_000
    /// Of one machine: others have a word as well.
    static let perHost = 2_000

    private var peers: [UInt64: String] = [:]
    private var counts: [String: Int] = [:]
    private var last: UInt64 = 0

    var isEmpty: Bool { peers.isEmpty }

    /// - Parameter sequence: the message's record; only of messages that name somebody.
    mutating func keep(_ sequence: UInt64, from peer: String) {
        let host = NetworkAddress.host(peer)
        guard peers.count < UnjudgedFrames.limit, counts[host, default: 0] < UnjudgedFrames.perHost else { return }
        peers[sequence] = peer
        counts[host, default: 0] += 1
        last = max(last, sequence)
    }

    mutating func take(_ sequence: UInt64) -> String? {
        guard let peer = peers.removeValue(forKey: sequence) else { return nil }
        let host = NetworkAddress.host(peer)
        counts[host, default: 1] -= 1
        if counts[host] == 0 { counts[host] = nil }
        return peer
    }

    /// Everything up to there is booked: nobody asks any more.
    mutating func forget(booked: UInt64) {
        if booked >= last { self = UnjudgedFrames() }
    }
}
