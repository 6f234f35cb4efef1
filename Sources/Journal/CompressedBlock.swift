/// One member of a compressed segment: whole records, about 16 KiB of them, so that damage stays where it is.
///
/// A gzip member as `zcat` reads it (RFC 1952): header of 10 bytes with FEXTRA, extra length u16, subfield `MJ` of 20
/// bytes (length of the member u32, length of its content u32, offset of its content in the segment u64, CRC-32 of the
/// member with these four bytes zero), deflate data, CRC-32 and length of the content. The CRC over the whole member
/// finds any change, and tells which bit it was where it was one.
struct CompressedBlock {
    static let contentBytes = 16 << 10
    /// A single record can be longer than the usual content.
    static let maximumContent = 4 << 20
    static let headerBytes = 36
    static let trailerBytes = 8
    static let checksumOffset = 32
    private static let signature: [UInt8] = [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 3, 24, 0, 0x4D, 0x4A, 20, 0]
    static let signatureBytes = signature.count

    /// Length of the whole member in the file.
    let length: Int
    let contentLength: Int
    /// Where its content begins in the segment.
    let contentOffset: Int

    /// Nil where this is no header of a member.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= CompressedBlock.headerBytes,
            bytes.prefix(CompressedBlock.signatureBytes).elementsEqual(CompressedBlock.signature)
        else { return nil }
        let header = Array(bytes.prefix(CompressedBlock.headerBytes))
        length = Int(header.littleEndian(UInt32.self, at: 16))
        contentLength = Int(header.littleEndian(UInt32.self, at: 20))
        guard let offset = Int(exactly: header.littleEndian(UInt64.self, at: 24)), offset < 1 << 40,
            length >= CompressedBlock.headerBytes + CompressedBlock.trailerBytes,
            (1...CompressedBlock.maximumContent).contains(contentLength)
        else { return nil }
        contentOffset = offset
    }

    /// A member with some content; nil where zlib has no memory.
    static func member(_ content: ArraySlice<UInt8>, offset: Int) -> [UInt8]? {
        guard let deflated = GzipCodec.deflated(content) else { return nil }
        var member = signature
        member.reserveCapacity(headerBytes + deflated.count + trailerBytes)
        member.append(littleEndian: UInt32(headerBytes + deflated.count + trailerBytes))
        member.append(littleEndian: UInt32(content.count))
        member.append(littleEndian: UInt64(offset))
        member.append(littleEndian: UInt32(0))
        member.append(contentsOf: deflated)
        member.append(littleEndian: content.withUnsafeBytes { Checksum.finish(Checksum.update(Checksum.start, $0)) })
        member.append(littleEndian: UInt32(content.count))
        member.set(littleEndian: Checksum.crc32(member), at: checksumOffset)
        return member
    }

    /// The content of a member whose checksums are right; nil for any other.
    static func content(_ member: [UInt8]) -> [UInt8]? {
        guard let block = CompressedBlock(member[...]), block.length == member.count, syndrome(member) == 0 else {
            return nil
        }
        let end = member.count - trailerBytes
        let content = GzipCodec.inflated(member[headerBytes..<end], count: block.contentLength)
        let isRight =
            content.count == block.contentLength
            && Checksum.crc32(content) == member.littleEndian(UInt32.self, at: end)
            && member.littleEndian(UInt32.self, at: end + 4) == UInt32(truncatingIfNeeded: content.count)
        return isRight ? content : nil
    }

    /// What differs between the stored and the true checksum; 0 for an unchanged member.
    private static func syndrome(_ member: [UInt8]) -> UInt32 {
        var copy = member
        copy.set(littleEndian: UInt32(0), at: checksumOffset)
        return Checksum.crc32(copy) ^ member.littleEndian(UInt32.self, at: checksumOffset)
    }

    /// The member as it was before one of its bits changed; nil where it was more than one.
    ///
    /// Each single bit changes a CRC in a way of its own, up to 512 MiB. Source: W. W. Peterson, D. T. Brown, "Cyclic
    /// Codes for Error Detection", Proc. IRE 49, 1961.
    static func repaired(_ member: [UInt8]) -> [UInt8]? {
        guard member.count >= headerBytes + trailerBytes, member.count < 1 << 26 else { return nil }
        let syndrome = syndrome(member)
        var copy = member
        if syndrome.nonzeroBitCount == 1 {
            copy.set(littleEndian: member.littleEndian(UInt32.self, at: checksumOffset) ^ syndrome, at: checksumOffset)
        } else if let place = Checksum.flippedBit(syndrome, count: member.count) {
            copy[place.byte] ^= 1 << place.bit
        }
        return content(copy) == nil ? nil : copy
    }
}

extension [UInt8] {
    /// Overwrites an integer; the caller has checked the bounds.
    mutating func set<Value: FixedWidthInteger>(littleEndian value: Value, at offset: Int) {
        for index in 0..<(Value.bitWidth / 8) {
            self[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * Value(index)))
        }
    }
}
