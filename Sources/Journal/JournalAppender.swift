import Domain
import Glibc

/// Puts groups of records on disk: one write and one fdatasync a group. Lives on the writer's thread.
///
/// After an error nothing has moved: the same group may be given again and is written over the same place, which also
/// makes pages dirty again that a failed fsync forgot. Source: fdatasync(2); R. Rebello and others, "Can applications
/// recover from fsync failures?", USENIX ATC 2020.
struct JournalAppender {
    private let directory: JournalDirectory
    private let segmentBytes: Int
    private let segmentAge: Int64
    private var position: JournalPosition
    private var lastLook: Int64 = 0

    /// - Parameter segmentAge: after so many milliseconds a segment is closed.
    init(directory: JournalDirectory, position: JournalPosition, segmentBytes: Int, segmentAge: Int64) {
        self.directory = directory
        self.position = position
        self.segmentBytes = segmentBytes
        self.segmentAge = segmentAge
    }

    /// What one group did.
    struct Commit {
        var bytes = 0
        var segmentsMade = 0
        var syncMicroseconds: Int64 = 0
    }

    /// Makes payloads durable; `first` is the first one's sequence.
    mutating func commit(_ payloads: [[UInt8]], first: UInt64, now: Timestamp) throws(JournalError) -> Commit {
        var commit = Commit()
        var group: [UInt8] = []
        group.reserveCapacity(payloads.reduce(0) { $0 + $1.count + JournalFormat.recordHeaderBytes })
        try checkPresence()
        let isFull = position.offset + group.capacity > segmentBytes
        let isOld = now.milliseconds - position.createdAt.milliseconds > segmentAge
        if (isFull || isOld) && position.offset > JournalFormat.segmentHeaderBytes {
            try rotate(first, now)
            commit.segmentsMade = 1
            commit.bytes = JournalFormat.segmentHeaderBytes
        }
        var chain = position.chain
        let start = position.identifier.withUnsafeBytes { Checksum.update(Checksum.start, $0) }
        for payload in payloads {
            chain = payload.withUnsafeBytes { chain.following($0) }
            let link = chain.bytes
            var sum = link.withUnsafeBytes { Checksum.update(start, $0) }
            sum = payload.withUnsafeBytes { Checksum.update(sum, $0) }
            group.append(littleEndian: UInt32(payload.count))
            group.append(littleEndian: Checksum.finish(sum))
            group.append(contentsOf: link)
            group.append(contentsOf: payload)
        }
        try position.file.write(group, at: position.offset)
        let began = MonotonicClock.microseconds()
        try position.file.synchronize()
        commit.syncMicroseconds = MonotonicClock.microseconds() - began
        position.offset += group.count
        position.chain = chain
        commit.bytes += group.count
        return commit
    }

    private mutating func rotate(_ first: UInt64, _ now: Timestamp) throws(JournalError) {
        let header = SegmentHeader(
            identifier: position.identifier, firstSequence: first, createdAt: now, previousChain: position.chain)
        position.file = try directory.makeSegment(header)
        position.offset = JournalFormat.segmentHeaderBytes
        position.createdAt = now
    }

    /// A removed file takes writes gladly and keeps nothing: looked at once a second.
    private mutating func checkPresence() throws(JournalError) {
        let now = MonotonicClock.microseconds()
        guard now - lastLook > 1_000_000 else { return }
        guard try position.file.status().st_nlink > 0 else {
            throw JournalError(errno: ENOENT, operation: "fstat", path: position.file.path, code: .removed)
        }
        lastLook = now
    }
}

enum MonotonicClock {
    static func microseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
