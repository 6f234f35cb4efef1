import CLinux
public import Domain
import Glibc
import Synchronization

/// The append-only journal: takes records on any thread, makes them durable on a thread of its own.
///
/// Whatever has gathered while a group was written becomes the next group; a writer with little to do commits at once,
/// a busy one gathers for at most a millisecond. `onProgress` is called on the writer's thread when records became
/// durable or the disk failed: it should do no more than wake the loop. While the disk fails the group is tried
/// again, with pauses up to a second, until it works; nothing taken is dropped. ``close()`` ends it.
public final class JournalWriter: Sendable {
    public struct Options: Sendable {
        /// Where a segment is full, in bytes.
        public var segmentBytes = 64 << 20
        /// How long segments stay in which form.
        public var tiers = JournalTiers()
        /// Bytes that may wait for the disk before ``isFull`` says so.
        public var waitingBytes = 16 << 20
        /// How long a busy writer gathers, in microseconds.
        public var gatherMicroseconds: Int64 = 1000

        public init() {}
    }

    /// How the journal stands.
    public struct Status: Sendable, Equatable {
        /// The highest sequence that is on disk.
        public var durable: UInt64 = 0
        /// The highest sequence taken.
        public var appended: UInt64 = 0
        public var waitingBytes = 0
        /// Why nothing becomes durable now; nil while all is well.
        public var failure: JournalError?
        /// Files of all segments by tier.
        public var sizes = JournalSizes()
        /// Up to where it is archived, as the last look at the segments found.
        public var archive = JournalArchive()
        /// Why segments are not compressed, moved or removed now; nil while all is well.
        public var upkeepFailure: JournalError?
        /// Groups committed since the start.
        public var groups: Int64 = 0
        public var lastSyncMicroseconds: Int64 = 0
        public var slowestSyncMicroseconds: Int64 = 0

        public var waiting: Int { Int(appended - durable) }
        public var segments: Int { sizes.segments }
        /// Size of all segments' files.
        public var bytes: Int { sizes.bytes }
    }

    struct State {
        var status = Status()
        var payloads: [[UInt8]] = []
        var recentFrames: [JournalRecord] = []
        var isClosing = false
        var threads: [pthread_t] = []
        /// Bytes of segments written since the start.
        var written = 0
    }

    /// One commit is at most so large; what has gathered beyond it becomes the next one.
    static let groupBytes = 2 << 20
    static let longestPause: Int32 = 1000
    /// A group of so many records says that more are coming: then it pays to gather.
    static let busyGroup = 16

    /// What opening found.
    public let recovery: JournalRecovery
    let state: Mutex<State>
    let options: Options
    let onProgress: @Sendable () -> Void
    let wake: Int32
    /// Wakes the thread that looks after closed segments.
    let upkeepWake: Int32
    let directory: JournalDirectory
    private let lock: JournalFile
    let appender: Mutex<JournalAppender>

    /// Opens the journal in a folder, cuts a torn tail off, and starts the thread.
    ///
    /// - Throws: ``JournalError``: the folder can't be made, another process holds it, its header is unreadable.
    public init(
        directory path: String, options: Options = Options(), now: Timestamp, onProgress: @escaping @Sendable () -> Void
    ) throws(JournalError) {
        directory = JournalDirectory(path: path)
        try directory.create()
        lock = try JournalFile.open(directory.path(of: "lock"), flags: O_RDWR | O_CREAT)
        try lock.lock(directory: path)
        var opening = JournalOpening(directory: directory)
        let position = try opening.open(now: now)
        recovery = opening.recovery
        var first = State()
        first.status.durable = position.nextSequence - 1
        first.status.appended = first.status.durable
        first.status.sizes = try JournalSizes.measured(directory: path)
        first.recentFrames = opening.recentFrames
        state = Mutex(first)
        appender = Mutex(
            JournalAppender(
                directory: directory, position: position, segmentBytes: options.segmentBytes,
                segmentAge: options.tiers.hot))
        self.options = options
        self.onProgress = onProgress
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        upkeepWake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        // A file size limit is to be an error like a full disk, not the end of the process.
        Glibc.signal(SIGXFSZ, SIG_IGN)
        try start { raw in
            if let raw { Unmanaged<JournalWriter>.fromOpaque(raw).takeRetainedValue().work() }
            return nil
        }
        try start { raw in
            if let raw { Unmanaged<JournalWriter>.fromOpaque(raw).takeRetainedValue().lookAfterSegments() }
            return nil
        }
    }

    deinit {
        Glibc.close(wake)
        Glibc.close(upkeepWake)
    }

    private func start(
        _ body: @escaping @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
    ) throws(JournalError) {
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(self)
        let result = pthread_create(&thread, nil, body, retained.toOpaque())
        guard result == 0 else {
            retained.release()
            close()
            throw JournalError(errno: result, operation: "pthread_create", path: directory.path)
        }
        state.withLock { $0.threads.append(thread) }
    }

    // MARK: - Any thread

    /// Takes a record of at most ``maximumFrame`` bytes and returns its sequence.
    ///
    /// It is durable when ``Status/durable`` has reached that.
    @discardableResult
    public func append(
        _ source: JournalSource, flags: JournalFlags = [], receivedAt: Timestamp, _ frame: [UInt8]
    ) -> UInt64 {
        var payload: [UInt8] = []
        payload.reserveCapacity(JournalFormat.payloadHeaderBytes + frame.count)
        payload.append(JournalFormat.version)
        payload.append(source.rawValue)
        payload.append(littleEndian: flags.rawValue)
        let place = payload.count
        payload.append(littleEndian: UInt64(0))
        payload.append(littleEndian: receivedAt.milliseconds)
        // A longer record would be unreadable: no port lets a longer frame through.
        payload.append(contentsOf: frame.prefix(JournalWriter.maximumFrame))
        let (sequence, wasIdle) = state.withLock { state in
            state.status.appended += 1
            let sequence = state.status.appended
            for index in 0..<8 { payload[place + index] = UInt8(truncatingIfNeeded: sequence >> (8 * UInt64(index))) }
            state.status.waitingBytes += payload.count
            state.payloads.append(payload)
            return (sequence, state.payloads.count == 1)
        }
        if wasIdle { signal(wake) }
        return sequence
    }

    /// The longest frame that fits into a record.
    public static let maximumFrame = JournalFormat.maximumPayload - JournalFormat.payloadHeaderBytes

    /// The newest frames that were there at opening (some thousands at most), once: to know what was taken before.
    public func takeRecentFrames() -> [JournalRecord] {
        state.withLock { state in
            defer { state.recentFrames = [] }
            return state.recentFrames
        }
    }

    public var status: Status { state.withLock { $0.status } }

    /// Whether so much waits for the disk that no more should be taken.
    public var isFull: Bool { state.withLock { $0.status.waitingBytes >= options.waitingBytes } }

    /// Makes durable what was taken, as far as the disk lets it, and ends the threads.
    public func close() {
        let threads = state.withLock { state in
            state.isClosing = true
            defer { state.threads = [] }
            return state.threads
        }
        signal(wake)
        signal(upkeepWake)
        for thread in threads { pthread_join(thread, nil) }
    }

    func signal(_ descriptor: Int32) {
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}
