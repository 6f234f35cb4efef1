/// A dictionary that forgets what was not touched for long: it keeps at least half its limit, at most the limit.
///
/// Two generations: when the younger is full it becomes the older, and the older is let go. Every step is O(1).
struct BoundedMemory<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let half: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    init(limit: Int) { half = max(1, limit / 2) }

    subscript(key: Key) -> Value? {
        mutating get {
            if let value = young[key] { return value }
            guard let value = old.removeValue(forKey: key) else { return nil }
            keep(key, value)
            return value
        }
        set {
            old.removeValue(forKey: key)
            guard let newValue else {
                young.removeValue(forKey: key)
                return
            }
            keep(key, newValue)
        }
    }

    var count: Int { young.count + old.count }

    private mutating func keep(_ key: Key, _ value: Value) {
        young[key] = value
        guard young.count >= half else { return }
        old = young
        young = [:]
    }
}

/// 64-bit FNV-1a: a fingerprint of texts, no protection against a forger. Source: RFC draft-eastlake-fnv.
struct Fingerprint {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ text: String?) {
        for byte in (text ?? "").utf8 { step(byte) }
        // A separator that no text holds, so that ("a", "b") and ("ab", "") differ.
        step(0xFF)
    }

    private mutating func step(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }

    /// 16 hexadecimal digits.
    var text: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
