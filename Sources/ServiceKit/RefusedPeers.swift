public import Domain

/// Who was turned away at the ZMTP handshake, by address: what a PULL leaves that met a ROUTER.
///
/// libzmq says of a failed handshake neither whose it was nor why, only that the connection ends right after it. So a
/// connection that ends after a failure, and on which nobody ever spoke, is taken for the one. A PULL that met a ROUTER
/// never tries again (ea-wire 3), so that one attempt is all there is to see. Bounded; one owner.
public struct RefusedPeers: Sendable {
    public struct Record: Sendable, Equatable {
        public var count: Int64
        public var firstAt: Timestamp
        public var lastAt: Timestamp
    }

    static let mostAddresses = 1_000
    static let keptMilliseconds: Int64 = 86_400_000

    public private(set) var addresses: [String: Record] = [:]
    /// Connections on which nobody has spoken yet, with their peers' addresses.
    private var silent: [Int32: String] = [:]
    private var failures = 0

    public init() {}

    public mutating func accepted(_ descriptor: Int32, address: String?) { silent[descriptor] = address ?? "unknown" }

    /// Somebody spoke: whoever it is, it was let in.
    public mutating func heard(_ descriptor: Int32) { silent[descriptor] = nil }

    public mutating func handshakeFailed() { failures += 1 }

    /// A connection ended; returns its peer's address where that was turned away.
    public mutating func ended(_ descriptor: Int32, at now: Timestamp) -> String? {
        guard let address = silent.removeValue(forKey: descriptor), failures > 0 else { return nil }
        failures -= 1
        if addresses[address] == nil, addresses.count >= RefusedPeers.mostAddresses { makeRoom(now) }
        var record = addresses[address] ?? Record(count: 0, firstAt: now, lastAt: now)
        record.count += 1
        record.lastAt = now
        addresses[address] = record
        return address
    }

    /// Lets go of what is a day old, and of the oldest where that is not enough.
    private mutating func makeRoom(_ now: Timestamp) {
        addresses = addresses.filter { now - $0.value.lastAt < RefusedPeers.keptMilliseconds }
        guard addresses.count >= RefusedPeers.mostAddresses else { return }
        if let oldest = addresses.min(by: { $0.value.lastAt < $1.value.lastAt }) { addresses[oldest.key] = nil }
    }
}
