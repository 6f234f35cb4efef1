import Glibc

/// One segment's file, as a look into the folder found it.
struct SegmentReference: Equatable {
    let first: UInt64
    /// The file's name in the journal's folder, `cold/…` for one that was moved there.
    let name: String

    var isCompressed: Bool { name.hasSuffix(JournalFormat.compressedSuffix) }
    var isCold: Bool { name.hasPrefix(JournalDirectory.cold + "/") }

    /// Nil where a name is no segment's.
    init?(_ name: String, isCold: Bool) {
        let isCompressed = name.hasSuffix(JournalFormat.compressedSuffix)
        let plain = isCompressed ? String(name.dropLast(JournalFormat.compressedSuffix.count)) : name
        guard let first = JournalFormat.firstSequence(ofSegment: plain) else { return nil }
        self.first = first
        self.name = isCold ? "\(JournalDirectory.cold)/\(name)" : name
    }

    /// The name without folder and form.
    var title: String { JournalFormat.segmentName(firstSequence: first) }
}

extension JournalDirectory {
    /// The folder in it for segments that are kept for long. It may be a link to another disk.
    static let cold = "cold"

    /// Every segment once, in order: where a crash left two forms of one, the one that was there first.
    func segments() throws(JournalError) -> [SegmentReference] {
        var found: [UInt64: SegmentReference] = [:]
        for name in try names() {
            guard let segment = SegmentReference(name, isCold: false) else { continue }
            if let other = found[segment.first], !other.isCompressed { continue }
            found[segment.first] = segment
        }
        for name in try coldNames() {
            guard let segment = SegmentReference(name, isCold: true), found[segment.first] == nil else { continue }
            found[segment.first] = segment
        }
        return found.values.sorted { $0.first < $1.first }
    }

    private func coldNames() throws(JournalError) -> [String] {
        do throws(JournalError) {
            return try JournalDirectory(path: path(of: JournalDirectory.cold)).names()
        } catch  where error.errno == ENOENT || error.errno == ENOTDIR {
            return []
        }
    }
}
