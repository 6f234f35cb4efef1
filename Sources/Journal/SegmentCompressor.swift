import Glibc

/// Makes the compressed form of a closed segment, and only then removes the plain one.
///
/// Written beside it, synchronised, read back and compared, renamed, and the folder synchronised: whatever the crash, one
/// whole form is there. Until the plain one is gone, it is the one that counts.
struct SegmentCompressor {
    let directory: JournalDirectory
    /// Asked between members: a process that ends does not wait for a whole segment.
    let isCancelled: () -> Bool

    /// - Returns: whether it was done; false when cancelled.
    func compress(_ segment: SegmentReference) throws(JournalError) -> Bool {
        let name = segment.title + JournalFormat.compressedSuffix
        let temporary = name + JournalDirectory.temporarySuffix
        try directory.remove(temporary)
        let plain = try JournalFile.open(directory.path(of: segment.name), flags: O_RDONLY)
        let size = try plain.size()
        do throws(JournalError) {
            guard try write(plain, size, segment, to: temporary), try isSame(temporary, plain, size) else {
                try directory.remove(temporary)
                return false
            }
        } catch {
            // A full disk gets its room back at once.
            try directory.remove(temporary)
            throw error
        }
        try directory.rename(temporary, to: name)
        try directory.synchronize()
        try directory.remove(segment.name)
        try directory.synchronize()
        return true
    }

    private func write(
        _ plain: JournalFile, _ size: Int, _ segment: SegmentReference, to name: String
    ) throws(JournalError) -> Bool {
        let file = try JournalFile.open(directory.path(of: name), flags: O_WRONLY | O_CREAT | O_EXCL)
        var boundaries = try SegmentBoundaries(directory, segment, size)
        var start = 0
        var place = 0
        var members: [UInt8] = []
        while start < size {
            if isCancelled() { return false }
            let end = try boundaries.next(behind: start)
            let content = try plain.read(at: start, count: end - start)
            guard content.count == end - start, let member = CompressedBlock.member(content[...], offset: start) else {
                throw JournalError(errno: ENOMEM, operation: "compress", path: plain.path)
            }
            members += member
            start = end
            if members.count >= 1 << 20 || start == size {
                try file.write(members, at: place)
                place += members.count
                members = []
            }
        }
        try file.synchronize()
        return true
    }

    /// Whether the compressed form holds exactly what the plain one does.
    private func isSame(_ name: String, _ plain: JournalFile, _ size: Int) throws(JournalError) -> Bool {
        let made = try CompressedSegment(try JournalFile.open(directory.path(of: name), flags: O_RDONLY))
        guard made.size == size else {
            throw JournalError(errno: EIO, operation: "compare", path: directory.path(of: name))
        }
        var place = 0
        while place < size {
            if isCancelled() { return false }
            let count = min(1 << 20, size - place)
            guard try made.read(at: place, count: count) == plain.read(at: place, count: count) else {
                throw JournalError(errno: EIO, operation: "compare", path: directory.path(of: name))
            }
            place += count
        }
        return true
    }
}

/// Where members of a compressed segment end: behind whole records, so that a damaged one costs no other a part.
private struct SegmentBoundaries {
    private let cursor: SegmentCursor?
    private let size: Int

    init(_ directory: JournalDirectory, _ segment: SegmentReference, _ size: Int) throws(JournalError) {
        let standIn = try directory.standIn(for: segment, behind: nil)
        cursor = try SegmentCursor(directory: directory, segment, standIn: standIn)
        self.size = size
    }

    mutating func next(behind start: Int) throws(JournalError) -> Int {
        let wanted = start + CompressedBlock.contentBytes
        while let cursor, cursor.offset < min(wanted, size) {
            if case .end = try cursor.next() { break }
        }
        let end = cursor?.offset ?? wanted
        // Bytes that are no records have no boundaries.
        return end > start && end - start <= CompressedBlock.maximumContent ? min(end, size) : min(wanted, size)
    }
}
