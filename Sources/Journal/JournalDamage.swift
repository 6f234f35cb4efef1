/// One place of the journal that is not as it was written: what, where, and which records it concerns.
public struct JournalDamage: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// Bytes of a record are not those its checksum was made of.
        case changed
        /// Checksum and content agree, but the chain does not: somebody rewrote it, or the record before it.
        case rewritten
        /// The last record's length is wrong, the rest of it is whole.
        case length
        /// Records are not there.
        case missing
        /// Bytes stand between two records that follow each other.
        case foreign
        /// Bytes are gone or unreadable up to the next intact record, or to the end of a segment that is not the last.
        case cut
        /// A segment's header is unreadable or does not continue the segment before.
        case header
        /// Bytes of a compressed segment's file are not as they were; its records could all be read.
        case repaired
        /// Bytes of a compressed segment's file can't be read; records that are lost by it are named apart.
        case unreadable
        /// The file that says where the journal begins is not as it was written.
        case anchor
    }

    public let kind: Kind
    /// The segment's file name.
    public let segment: String
    /// Where in the segment it begins, in bytes; where it is compressed, of its content.
    public let offset: Int
    /// Where in the file the member of a compressed segment begins that is damaged, if that is what is wrong.
    public let fileOffset: Int?
    /// How many bytes it concerns; 0 where bytes are missing.
    public let bytes: Int
    /// The first and last record concerned; nil where no record is.
    public let sequences: ClosedRange<UInt64>?

    init(
        _ kind: Kind, _ segment: String, at offset: Int, bytes: Int, _ sequences: ClosedRange<UInt64>?,
        fileOffset: Int? = nil
    ) {
        self.kind = kind
        self.fileOffset = fileOffset
        self.segment = segment
        self.offset = offset
        self.bytes = bytes
        self.sequences = sequences
    }

    public var description: String {
        let ofContent = segment.hasSuffix(JournalFormat.compressedSuffix) ? " of its content" : ""
        let place = "\(segment) at byte \(offset)\(ofContent)" + (fileOffset.map { ", byte \($0) of the file" } ?? "")
        let what: String =
            switch sequences {
            case let range? where range.count == 1: "record \(range.lowerBound)"
            case let range?: "records \(range.lowerBound) to \(range.upperBound)"
            case nil: "\(bytes) bytes"
            }
        let complaint: String =
            switch kind {
            case .changed: "changed: the checksum does not match"
            case .rewritten: "rewritten: the chain of hashes is broken"
            case .length: "changed: the length is wrong"
            case .missing: "missing"
            case .foreign: "belong to no record"
            case .cut: "cut or changed beyond reading"
            case .header: "can't be trusted: the segment's header is damaged or does not follow the segment before"
            case .repaired: "of the compressed file were changed; every record in them was read all the same"
            case .unreadable: "of the compressed file can't be read"
            case .anchor: "are not as they were written: where the journal begins is not known for certain"
            }
        return "\(what) \(complaint) (\(place))"
    }
}

/// A last record that was not written to its end: the trace of a crash, not damage. It was never acknowledged.
public struct TornTail: Sendable, Equatable {
    public let segment: String
    /// Where the last whole record ends.
    public let offset: Int
    public let bytes: Int
}
