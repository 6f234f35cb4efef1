import Glibc

/// The bytes of one segment as they were written, whatever form the file has. Owned by one thread.
protocol SegmentSource: AnyObject {
    /// Length of the content.
    var size: Int { get }
    /// Looks at how long it is now.
    func refresh() throws(JournalError)
    /// Bytes of the content; the range lies within ``size``. What can't be read any more is zero.
    func read(at offset: Int, count: Int) throws(JournalError) -> [UInt8]
    /// What was found to be wrong with the file itself up to an offset of the content, once.
    func takeDamages(before offset: Int) -> [SegmentFileDamage]
}

/// Bytes of a compressed segment's file that are not as they were written.
struct SegmentFileDamage: Equatable {
    /// The part of the content that it concerns; empty where that is not known.
    let content: Range<Int>
    let fileOffset: Int
    let bytes: Int
    /// Whether the content could be restored from the checksum.
    let isRepaired: Bool
}

/// A segment that is not compressed: the file is the content.
final class PlainSegment: SegmentSource {
    private let file: JournalFile
    private(set) var size: Int

    init(_ file: JournalFile) throws(JournalError) {
        self.file = file
        size = try file.size()
    }

    func refresh() throws(JournalError) { size = try file.size() }

    func read(at offset: Int, count: Int) throws(JournalError) -> [UInt8] { try file.read(at: offset, count: count) }

    func takeDamages(before offset: Int) -> [SegmentFileDamage] { [] }
}

extension JournalDirectory {
    /// Opens a segment in whichever form it has by now: it may have been compressed or moved since it was listed.
    func open(_ segment: SegmentReference) throws(JournalError) -> any SegmentSource {
        do throws(JournalError) {
            return try source(segment)
        } catch  where error.errno == ENOENT {
            guard let now = try segments().first(where: { $0.first == segment.first }) else { throw error }
            return try source(now)
        }
    }

    private func source(_ segment: SegmentReference) throws(JournalError) -> any SegmentSource {
        let file = try JournalFile.open(path(of: segment.name), flags: 0)
        return segment.isCompressed ? try CompressedSegment(file) : try PlainSegment(file)
    }
}
