/// Terminals by the bytes of their node ids, for a path that sees forty thousand frames a second.
///
/// Finding one allocates nothing and makes no text. Two ids are told apart by a 64-bit hash with a secret seed: that two
/// of a few hundred thousand collide has odds of one in a hundred million, and nobody outside can make it happen.
/// Bounded: at the limit those that were quiet longest make room, and where nobody is, newcomers aren't followed.
public struct NodeTable: Sendable {
    struct Entry: Sendable {
        let hash: UInt64
        /// Index of its broker server, or ``unknownServer``.
        var server: Int32 = NodeTable.unknownServer
        /// How many TCP connections it was heard on that are still there.
        var connections: Int32 = 0
        /// When the registry is to hear of it again, and when its server may be asked for again; UTC milliseconds, as all.
        var nextActivity: Int64 = 0
        var nextLookUp: Int64 = 0
        /// When its connection may be asked for again, while none is known.
        var nextAttach: Int64 = 0
        var lastHeard: Int64
        /// The connection on which its quotes are believed, which one of those that had the number, and until when.
        var speaker: Int32 = -1
        var speakerNumber: UInt32 = 0
        var believedUntil: Int64 = 0
    }

    static let unknownServer: Int32 = -1
    static let idleMilliseconds: Int64 = 600_000

    let limit: Int
    private let seed: UInt64
    private(set) var entries: [Entry] = []
    private(set) var nodeIDs: [String] = []
    private var slots: [Int32]

    public init(limit: Int = 262_144, seed: UInt64) {
        self.limit = limit
        self.seed = seed | 1
        slots = Array(repeating: -1, count: 1024)
    }

    public var count: Int { entries.count }

    subscript(index: Int) -> Entry {
        get { entries[index] }
        _modify { yield &entries[index] }
    }

    /// The node's index, made where it is new; nil when the table is full of living ones.
    mutating func index(of nodeID: UnsafeBufferPointer<UInt8>, now: Int64) -> Int? {
        let hash = hash(nodeID)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if entries[index].hash == hash { return index }
            slot = (slot &+ 1) & (slots.count - 1)
        }
        return insert(nodeID, hash, now)
    }

    mutating func index(of nodeID: String, now: Int64) -> Int? {
        var copy = nodeID
        return copy.withUTF8 { index(of: $0, now: now) }
    }

    private mutating func insert(_ nodeID: UnsafeBufferPointer<UInt8>, _ hash: UInt64, _ now: Int64) -> Int? {
        guard entries.count < limit else { return nil }
        if (entries.count + 1) * 2 > slots.count { rebuild(slotCount: slots.count * 2) }
        entries.append(Entry(hash: hash, lastHeard: now))
        nodeIDs.append(String(decoding: nodeID, as: UTF8.self))
        place(entries.count - 1)
        return entries.count - 1
    }

    /// Lets go of those that no connection carries and nobody heard for ten minutes. Indexes change: returns the new
    /// index of each old one, -1 where it is gone.
    mutating func removeIdle(now: Int64) -> [Int32] {
        var moved: [Int32] = []
        var kept: [Entry] = []
        var keptIDs: [String] = []
        for (index, entry) in entries.enumerated() {
            if entry.connections <= 0, now - entry.lastHeard > NodeTable.idleMilliseconds {
                moved.append(-1)
            } else {
                moved.append(Int32(kept.count))
                kept.append(entry)
                keptIDs.append(nodeIDs[index])
            }
        }
        entries = kept
        nodeIDs = keptIDs
        rebuild(slotCount: slots.count)
        return moved
    }

    private mutating func rebuild(slotCount: Int) {
        slots = Array(repeating: -1, count: slotCount)
        for index in entries.indices { place(index) }
    }

    private mutating func place(_ index: Int) {
        var slot = Int(truncatingIfNeeded: entries[index].hash) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot &+ 1) & (slots.count - 1) }
        slots[slot] = Int32(index)
    }

    /// A keyed multiply-and-fold over eight bytes at a time. Source: the mixing step of W. Yi, wyhash (public domain).
    private func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let raw = UnsafeRawBufferPointer(bytes)
        var hash = seed ^ UInt64(truncatingIfNeeded: raw.count)
        var offset = 0
        while offset &+ 8 <= raw.count {
            hash = NodeTable.fold(hash ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self), seed)
            offset &+= 8
        }
        var tail: UInt64 = 0
        while offset < raw.count {
            tail = tail << 8 | UInt64(raw[offset])
            offset &+= 1
        }
        return NodeTable.fold(NodeTable.fold(hash ^ tail, seed), 0x9E37_79B9_7F4A_7C15)
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = (left ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: right ^ 0xE703_7ED1_A0B4_28DB)
        return product.high ^ product.low
    }
}
