public import Domain

/// Where a journaled frame came from, as one byte of its record. Codes are never reused.
public struct JournalSource: Sendable, Hashable, RawRepresentable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A frame of the port `ea-confirmations`.
    public static let confirmations = JournalSource(rawValue: 1)
    /// A frame of the port `ea-receipts`.
    public static let receipts = JournalSource(rawValue: 2)
    /// What was understood of an earlier record: the events it became, with their ids, as JSON.
    public static let decision = JournalSource(rawValue: 3)
    /// A write of position-tracker's ledger, in the journal `<var>/ledger`.
    public static let ledger = JournalSource(rawValue: 4)

    /// Whether the record holds bytes of a terminal.
    public var isFrame: Bool { self == .confirmations || self == .receipts }
    /// Codes above this are from a newer version or damaged.
    static let newest: UInt8 = 15
}

/// Bits of a record's header.
public struct JournalFlags: OptionSet, Sendable, Hashable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The message had several frames; the payload holds each behind its length (u32, little endian).
    public static let multipart = JournalFlags(rawValue: 1)
    /// It came from an address its user's terminal does not speak from: kept, and nothing of it is booked.
    public static let foreign = JournalFlags(rawValue: 2)
    /// It came from another machine than ours.
    public static let outside = JournalFlags(rawValue: 4)
    /// It came before it was known from where terminals speak: it is judged when it is booked.
    public static let unjudged = JournalFlags(rawValue: 8)
    /// Every bit that has a meaning.
    static let known: UInt16 = 15
}

/// One record of the journal, read back and checked.
public struct JournalRecord: Sendable, Equatable {
    /// 1 for the first record ever, then one more each; a gap is a loss.
    public let sequence: UInt64
    public let receivedAt: Timestamp
    public let source: JournalSource
    public let flags: JournalFlags
    /// The bytes as they came.
    public let bytes: [UInt8]
    /// The record's chain value, which covers all before it.
    public let chain: ChainHash
}

/// The bytes on disk, all integers little endian.
///
/// A segment is a header of 80 bytes (magic 8, journal id 16, first sequence u64, created i64 ms, chain before it 32,
/// CRC-32 u32, zero u32), then records. A record is length u32, CRC-32 u32, chain 32 bytes, payload of that length. A
/// payload is version u8, source u8, flags u16, sequence u64, received i64 ms, and the frame. The CRC covers journal
/// id, chain and payload: starting from the random id, a terminal can't forge a record inside a frame. The chain is
/// SHA-256 of the chain before and the payload; before the first record stands SHA-256 of the journal id.
enum JournalFormat {
    static let magic = Array("MESHJRN1".utf8)
    static let version: UInt8 = 1
    static let segmentHeaderBytes = 80
    /// Length, CRC and chain.
    static let recordHeaderBytes = 40
    /// Version to received_at.
    static let payloadHeaderBytes = 20
    static let maximumPayload = 1 << 20
    static let identifierBytes = 16

    static let segmentPrefix = "journal-"
    static let segmentSuffix = ".log"

    static func segmentName(firstSequence: UInt64) -> String {
        let digits = String(firstSequence)
        return segmentPrefix + String(repeating: "0", count: max(0, 20 - digits.count)) + digits + segmentSuffix
    }

    static let compressedSuffix = ".gz"

    static func firstSequence(ofSegment name: String) -> UInt64? {
        guard name.hasPrefix(segmentPrefix), name.hasSuffix(segmentSuffix) else { return nil }
        return UInt64(name.dropFirst(segmentPrefix.count).dropLast(segmentSuffix.count))
    }

    static func text(ofIdentifier identifier: [UInt8]) -> String {
        identifier.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension [UInt8] {
    mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
        for shift in 0..<(Value.bitWidth / 8) { append(UInt8(truncatingIfNeeded: value >> (8 * Value(shift)))) }
    }

    /// Reads an integer; the caller has checked the bounds.
    func littleEndian<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value {
        var value: Value = 0
        for index in 0..<(Value.bitWidth / 8) {
            value |= Value(truncatingIfNeeded: self[offset + index]) << (8 * Value(index))
        }
        return value
    }
}

/// One segment's header.
struct SegmentHeader: Equatable {
    var identifier: [UInt8]
    var firstSequence: UInt64
    var createdAt: Timestamp
    /// The chain value of the last record of the segment before.
    var previousChain: ChainHash

    var bytes: [UInt8] {
        var out = JournalFormat.magic + identifier
        out.append(littleEndian: firstSequence)
        out.append(littleEndian: createdAt.milliseconds)
        out.append(contentsOf: previousChain.bytes)
        out.append(littleEndian: Checksum.crc32(out))
        out.append(littleEndian: UInt32(0))
        return out
    }

    init(identifier: [UInt8], firstSequence: UInt64, createdAt: Timestamp, previousChain: ChainHash) {
        self.identifier = identifier
        self.firstSequence = firstSequence
        self.createdAt = createdAt
        self.previousChain = previousChain
    }

    /// Nil where the bytes are no intact header.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= JournalFormat.segmentHeaderBytes, Array(bytes[0..<8]) == JournalFormat.magic,
            Checksum.crc32(Array(bytes[0..<72])) == bytes.littleEndian(UInt32.self, at: 72),
            bytes.littleEndian(UInt32.self, at: 76) == 0
        else { return nil }
        identifier = Array(bytes[8..<24])
        firstSequence = bytes.littleEndian(UInt64.self, at: 24)
        createdAt = Timestamp(milliseconds: bytes.littleEndian(Int64.self, at: 32))
        previousChain = ChainHash(bytes[40..<72])
    }
}
