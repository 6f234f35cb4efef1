import Domain
import Glibc

/// One pass over a journal's segments: compresses those that are closed, moves old ones into the cold, removes those past
/// their time, and measures what is left. Owned by one thread; readers and the writer go on meanwhile.
struct JournalUpkeep {
    let directory: JournalDirectory
    let tiers: JournalTiers
    let isCancelled: @Sendable () -> Bool
    /// When a segment was made, by its first sequence: read once from its header.
    private var madeAt: [UInt64: Timestamp] = [:]

    init(directory: JournalDirectory, tiers: JournalTiers, isCancelled: @escaping @Sendable () -> Bool = { false }) {
        self.directory = directory
        self.tiers = tiers
        self.isCancelled = isCancelled
    }

    mutating func pass(now: Timestamp) throws(JournalError) -> JournalSizes {
        if tiers.isOn {
            try removeLeftovers()
            try compress()
            try moveCold(now)
            try removeOld(now)
        }
        return try JournalSizes.measured(directory: directory.path)
    }

    /// Up to where the journal is archived. A segment with a plain file is not, nor is anything behind it.
    mutating func archive() throws(JournalError) -> JournalArchive {
        var archive = JournalArchive()
        let segments = try directory.segments()
        for (segment, next) in zip(segments, segments.dropFirst()) {
            guard segment.isCompressed || segment.isCold else { break }
            archive.through = next.first - 1
            archive.before = try made(next)
        }
        return archive
    }

    private func removeLeftovers() throws(JournalError) {
        let endings = [
            JournalFormat.compressedSuffix + JournalDirectory.temporarySuffix,
            JournalFormat.segmentSuffix + JournalDirectory.temporarySuffix,
        ]
        for name in try directory.names() where endings.contains(where: name.hasSuffix) { try directory.remove(name) }
    }

    /// All but the newest, which is being written.
    private func compress() throws(JournalError) {
        let compressor = SegmentCompressor(directory: directory, isCancelled: isCancelled)
        for segment in try directory.segments().dropLast() where !segment.isCompressed && !segment.isCold {
            guard try compressor.compress(segment) else { return }
        }
    }

    private mutating func moveCold(_ now: Timestamp) throws(JournalError) {
        let segments = try directory.segments()
        for (segment, next) in zip(segments, segments.dropFirst()) where segment.isCompressed && !segment.isCold {
            // The next one was made when this one was closed. They are in order: the first young one ends it.
            guard now.milliseconds - (try made(next)).milliseconds > tiers.warm else { return }
            if isCancelled() { return }
            try directory.prepareCold(tiers.coldDirectory)
            try directory.moveToCold(segment)
        }
    }

    /// From the oldest on, and the anchor first: what is kept stays checkable whenever the crash comes.
    private mutating func removeOld(_ now: Timestamp) throws(JournalError) {
        let segments = try directory.segments()
        for (segment, next) in zip(segments, segments.dropFirst()) {
            guard segment.isCold, now.milliseconds - (try made(next)).milliseconds > tiers.cold else { return }
            if isCancelled() { return }
            guard let header = try directory.header(of: next) else { return }
            try directory.write(JournalAnchor(header))
            try directory.remove(segment.name)
            try JournalDirectory(path: directory.path(of: JournalDirectory.cold)).synchronize()
            madeAt[segment.first] = nil
        }
    }

    private mutating func made(_ segment: SegmentReference) throws(JournalError) -> Timestamp {
        if let known = madeAt[segment.first] { return known }
        let header = try directory.header(of: segment)
        let made: Timestamp = if let header { header.createdAt } else { try directory.changedAt(segment) }
        madeAt[segment.first] = made
        return made
    }
}

extension JournalDirectory {
    func size(of segment: SegmentReference) throws(JournalError) -> Int {
        Int(try status(of: segment)?.st_size ?? 0)
    }

    func changedAt(_ segment: SegmentReference) throws(JournalError) -> Timestamp {
        Timestamp(milliseconds: Int64(try status(of: segment)?.st_mtim.tv_sec ?? 0) * 1000)
    }

    /// Nil where the file is not there any more.
    private func status(of segment: SegmentReference) throws(JournalError) -> stat? {
        var status = stat()
        if stat(path(of: segment.name), &status) == 0 { return status }
        guard errno == ENOENT else { throw JournalError(errno: errno, operation: "stat", path: path(of: segment.name)) }
        return nil
    }

    /// A segment's header; nil where it is unreadable.
    func header(of segment: SegmentReference) throws(JournalError) -> SegmentHeader? {
        let source = try open(segment)
        return SegmentHeader(
            try source.read(at: 0, count: min(source.size, JournalFormat.segmentHeaderBytes)))
    }

    /// Makes the folder for cold segments, or the link to where they are kept.
    func prepareCold(_ elsewhere: String?) throws(JournalError) {
        let path = path(of: JournalDirectory.cold)
        var status = stat()
        if lstat(path, &status) == 0 { return }
        guard let elsewhere else { return try JournalDirectory(path: path).create() }
        try JournalDirectory(path: elsewhere).create()
        guard symlink(elsewhere, path) == 0 else { throw JournalError(errno: errno, operation: "symlink", path: path) }
        try synchronize()
    }

    func moveToCold(_ segment: SegmentReference) throws(JournalError) {
        let cold = JournalDirectory(path: path(of: JournalDirectory.cold))
        let target = cold.path(of: segment.name)
        if Glibc.rename(path(of: segment.name), target) != 0 {
            guard errno == EXDEV else {
                throw JournalError(errno: errno, operation: "rename", path: path(of: segment.name))
            }
            try copy(segment.name, into: cold)
        }
        try cold.synchronize()
        try remove(segment.name)
        try synchronize()
    }

    /// To another disk: whole and durable before the other is removed.
    private func copy(_ name: String, into other: JournalDirectory) throws(JournalError) {
        let temporary = name + JournalDirectory.temporarySuffix
        try other.remove(temporary)
        let source = try JournalFile.open(path(of: name), flags: O_RDONLY)
        let target = try JournalFile.open(other.path(of: temporary), flags: O_WRONLY | O_CREAT | O_EXCL)
        let size = try source.size()
        var place = 0
        while place < size {
            let bytes = try source.read(at: place, count: min(1 << 20, size - place))
            guard !bytes.isEmpty else { throw JournalError(errno: EIO, operation: "pread", path: path(of: name)) }
            try target.write(bytes, at: place)
            place += bytes.count
        }
        try target.synchronize()
        try other.rename(temporary, to: name)
    }
}
