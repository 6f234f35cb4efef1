/// A moving view of a segment's bytes, so that reading 64 MiB needs a few of them in memory.
///
/// Owned by one thread. Offsets are those of the content.
final class SegmentWindow {
    private static let step = 1 << 20

    private let source: any SegmentSource
    private var base = 0
    private var bytes: [UInt8] = []

    init(_ source: any SegmentSource) { self.source = source }

    var size: Int { source.size }

    /// Looks at how long the segment is now.
    func refresh() throws(JournalError) { try source.refresh() }

    func takeDamages(before offset: Int) -> [SegmentFileDamage] { source.takeDamages(before: offset) }

    /// Whether so many bytes are there, and brings them into view.
    func has(_ count: Int, at offset: Int) throws(JournalError) -> Bool {
        if offset >= base && offset + count <= base + bytes.count { return true }
        guard offset + count <= size else { return false }
        bytes = try source.read(at: offset, count: min(size - offset, max(count, SegmentWindow.step)))
        base = offset
        return bytes.count >= count
    }

    // What follows is for bytes that `has` brought into view.

    func byte(at offset: Int) -> UInt8 { bytes[offset - base] }

    func integer<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value {
        bytes.littleEndian(type, at: offset - base)
    }

    func slice(_ range: Range<Int>) -> ArraySlice<UInt8> {
        bytes[(range.lowerBound - base)..<(range.upperBound - base)]
    }

    func withBytes<Result>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes {
            body(UnsafeRawBufferPointer(rebasing: $0[(range.lowerBound - base)..<(range.upperBound - base)]))
        }
    }
}
