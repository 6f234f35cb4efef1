/// CRC-32 as in IEEE 802.3 and zlib, eight bytes a step. Source: M. E. Kounavis, F. L. Berry, "slicing-by-8".
enum Checksum {
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
            tables[index] = value
        }
        for table in 1..<8 {
            for index in 0..<256 {
                let before = tables[(table - 1) * 256 + index]
                tables[table * 256 + index] = tables[Int(before & 0xFF)] ^ (before >> 8)
            }
        }
        return tables
    }()

    static func crc32(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { finish(update(start, $0)) } }

    static let start: UInt32 = 0xFFFF_FFFF

    static func finish(_ state: UInt32) -> UInt32 { ~state }

    static func update(_ state: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var state = state
            var index = 0
            while index + 8 <= bytes.count {
                let low = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)) ^ state
                let high = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index + 4, as: UInt32.self))
                state = table[7 * 256 + Int(low & 0xFF)] ^ table[6 * 256 + Int(low >> 8 & 0xFF)]
                state ^= table[5 * 256 + Int(low >> 16 & 0xFF)] ^ table[4 * 256 + Int(low >> 24)]
                state ^= table[3 * 256 + Int(high & 0xFF)] ^ table[2 * 256 + Int(high >> 8 & 0xFF)]
                state ^= table[256 + Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
                index += 8
            }
            while index < bytes.count {
                state = table[Int((state ^ UInt32(bytes[index])) & 0xFF)] ^ (state >> 8)
                index += 1
            }
            return state
        }
    }

    /// The one bit of so many bytes whose change makes this difference between two checksums.
    static func flippedBit(_ difference: UInt32, count: Int) -> (byte: Int, bit: UInt8)? {
        guard difference != 0 else { return nil }
        return tables.withUnsafeBufferPointer { table in
            // What a changed bit of the last byte does, then of the one before it, and so on.
            var effects = (0..<8).map { table[1 << $0] }
            for byte in stride(from: count - 1, through: 0, by: -1) {
                for bit in 0..<8 {
                    if effects[bit] == difference { return (byte, UInt8(bit)) }
                    effects[bit] = table[Int(effects[bit] & 0xFF)] ^ (effects[bit] >> 8)
                }
            }
            return nil
        }
    }
}
