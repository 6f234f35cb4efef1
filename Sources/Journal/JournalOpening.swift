import CLinux
public import Domain
import Glibc

/// What opening a journal for writing found and did.
public struct JournalRecovery: Sendable, Equatable {
    /// The journal's random name, 32 hexadecimal digits: what `journal:state` keeps it apart by.
    public internal(set) var identifier = ""
    /// The last record's sequence; 0 where there is none.
    public internal(set) var lastSequence: UInt64 = 0
    public internal(set) var segments = 0
    public internal(set) var bytes = 0
    /// When the oldest segment that is kept was begun; nil where its header can't be read.
    public internal(set) var since: Timestamp?
    /// A last record that was not written to its end: cut off; its bytes are kept beside the segments.
    public internal(set) var cut: TornTail?
    /// Damage in the newest segment: kept as it is. `JournalVerification` looks at all of them.
    public internal(set) var damages: [JournalDamage] = []
}

/// Where the writer goes on.
struct JournalPosition {
    var file: JournalFile
    var offset: Int
    var chain: ChainHash
    var nextSequence: UInt64
    var identifier: [UInt8]
    /// When the segment was begun.
    var createdAt: Timestamp
}

/// Brings a journal's folder into a state that can be appended to.
struct JournalOpening {
    let directory: JournalDirectory
    private(set) var recovery = JournalRecovery()
    /// The newest frames of terminals in the newest segment, the oldest first.
    private(set) var recentFrames: [JournalRecord] = []
    private static let keptFrames = 2000

    init(directory: JournalDirectory) { self.directory = directory }

    mutating func open(now: Timestamp) throws(JournalError) -> JournalPosition {
        var segments = try directory.segments()
        // A segment whose header was not written to its end holds nothing yet: the crash came while it was made.
        while let last = segments.last, !last.isCompressed, try isUnborn(last.name) {
            guard unlink(directory.path(of: last.name)) == 0 else {
                throw JournalError(errno: errno, operation: "unlink", path: directory.path(of: last.name))
            }
            segments.removeLast()
        }
        recovery.segments = max(1, segments.count)
        guard let last = segments.last else { return try begin(now) }
        recovery.since = try segments.first.flatMap { first throws(JournalError) in
            try directory.header(of: first)?.createdAt
        }
        for segment in segments.dropLast() { recovery.bytes += try directory.size(of: segment) }
        return try resume(last, before: segments.dropLast().last, now)
    }

    private func isUnborn(_ name: String) throws(JournalError) -> Bool {
        try JournalFile.open(directory.path(of: name), flags: 0).size() < JournalFormat.segmentHeaderBytes
    }

    private mutating func begin(_ now: Timestamp) throws(JournalError) -> JournalPosition {
        var identifier = [UInt8](repeating: 0, count: JournalFormat.identifierBytes)
        guard getrandom(&identifier, identifier.count, 0) == identifier.count else {
            throw JournalError(errno: errno, operation: "getrandom", path: directory.path)
        }
        recovery.identifier = JournalFormat.text(ofIdentifier: identifier)
        recovery.since = now
        let header = SegmentHeader(
            identifier: identifier, firstSequence: 1, createdAt: now, previousChain: ChainHash.of(identifier))
        let file = try directory.makeSegment(header)
        try directory.write(JournalAnchor(header))
        recovery.bytes += JournalFormat.segmentHeaderBytes
        return JournalPosition(
            file: file, offset: JournalFormat.segmentHeaderBytes, chain: header.previousChain, nextSequence: 1,
            identifier: identifier, createdAt: now)
    }

    private mutating func resume(
        _ segment: SegmentReference, before: SegmentReference?, _ now: Timestamp
    ) throws(JournalError) -> JournalPosition {
        guard let cursor = try cursor(segment, before: before) else {
            // Going on without the id would make records nobody can check: an operator has to look.
            throw JournalError(errno: EILSEQ, operation: "read the header of", path: directory.path(of: segment.name))
        }
        if !cursor.isHeaderIntact {
            recovery.damages.append(
                JournalDamage(.header, segment.name, at: 0, bytes: JournalFormat.segmentHeaderBytes, nil))
        }
        scanning: while true {
            switch try cursor.next() {
            case .record(let record): keep(record)
            case .damage(let damage): recovery.damages.append(damage)
            case .end(let unread):
                if unread > 0, !segment.isCompressed { try cut(cursor, unread) }
                break scanning
            }
        }
        recovery.identifier = JournalFormat.text(ofIdentifier: cursor.header.identifier)
        recovery.lastSequence = cursor.expected - 1
        try anchor(cursor.header)
        let chain = cursor.chains.first ?? cursor.header.previousChain
        guard !segment.isCompressed else {
            // The one that was written is gone: what is compressed is never written to.
            let header = SegmentHeader(
                identifier: cursor.header.identifier, firstSequence: cursor.expected, createdAt: now,
                previousChain: chain)
            recovery.segments += 1
            recovery.bytes += try directory.size(of: segment) + JournalFormat.segmentHeaderBytes
            return JournalPosition(
                file: try directory.makeSegment(header), offset: JournalFormat.segmentHeaderBytes, chain: chain,
                nextSequence: cursor.expected, identifier: header.identifier, createdAt: now)
        }
        recovery.bytes += cursor.offset
        return JournalPosition(
            file: try JournalFile.open(directory.path(of: segment.name), flags: O_RDWR), offset: cursor.offset,
            chain: chain, nextSequence: cursor.expected, identifier: cursor.header.identifier,
            createdAt: cursor.header.createdAt)
    }

    /// A journal that was made before there were anchors gets one, if its beginning can be read.
    private func anchor(_ newest: SegmentHeader) throws(JournalError) {
        guard case .absent = try directory.anchor(), let oldest = try directory.segments().first,
            let header = try directory.header(of: oldest), header.identifier == newest.identifier
        else { return }
        try directory.write(JournalAnchor(header))
    }

    private mutating func keep(_ record: JournalRecord) {
        guard record.source.isFrame else { return }
        recentFrames.append(record)
        if recentFrames.count >= 2 * JournalOpening.keptFrames { recentFrames.removeFirst(JournalOpening.keptFrames) }
    }

    /// The newest segment's cursor; where its header is damaged, with what the segment before says it was.
    private func cursor(_ segment: SegmentReference, before: SegmentReference?) throws(JournalError) -> SegmentCursor? {
        if let cursor = try SegmentCursor(directory: directory, segment) { return cursor }
        var previous: SegmentCursor?
        if let before { previous = try SegmentCursor(directory: directory, before) }
        while let previous {
            if case .end = try previous.next() { break }
        }
        let standIn = try directory.standIn(for: segment, behind: previous)
        return try SegmentCursor(directory: directory, segment, standIn: standIn)
    }

    /// Cuts what no record is off the end, and keeps it in a file of its own.
    private mutating func cut(_ cursor: SegmentCursor, _ unread: Int) throws(JournalError) {
        let path = directory.path(of: cursor.name)
        let file = try JournalFile.open(path, flags: O_RDWR)
        let kept = try file.read(at: cursor.offset, count: unread)
        let aside = try JournalFile.open("\(path).torn-\(cursor.offset)", flags: O_WRONLY | O_CREAT | O_TRUNC)
        try aside.write(kept, at: 0)
        try aside.synchronize()
        try file.truncate(to: cursor.offset)
        try file.synchronize()
        recovery.cut = TornTail(segment: cursor.name, offset: cursor.offset, bytes: unread)
    }
}

extension JournalDirectory {
    /// Makes a segment with its header, durable before it is used.
    func makeSegment(_ header: SegmentHeader) throws(JournalError) -> JournalFile {
        let name = JournalFormat.segmentName(firstSequence: header.firstSequence)
        let file = try JournalFile.open(path(of: name), flags: O_RDWR | O_CREAT)
        try file.write(header.bytes, at: 0)
        try file.synchronize()
        try synchronize()
        return file
    }
}
