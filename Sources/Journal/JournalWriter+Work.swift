import Domain
import Glibc
import Synchronization

// What the writer's thread does.

extension JournalWriter {
    func work() {
        var finishedAt: Int64 = 0
        var isBusy = false
        while true {
            let (isClosing, isEmpty) = state.withLock { ($0.isClosing, $0.payloads.isEmpty) }
            if isEmpty {
                if isClosing { return }
                wait(milliseconds: -1)
                continue
            }
            if isBusy && !isClosing { gather(since: finishedAt) }
            let (group, first) = takeGroup()
            isBusy = group.count >= JournalWriter.busyGroup
            guard commit(group, first: first) else { return }
            finishedAt = MonotonicClock.microseconds()
        }
    }

    /// A disk that was busy a moment ago gets a little more at once.
    private func gather(since finished: Int64) {
        let left = finished + options.gatherMicroseconds - MonotonicClock.microseconds()
        guard left > 0 else { return }
        var time = timeval(tv_sec: 0, tv_usec: Int(min(left, options.gatherMicroseconds)))
        select(0, nil, nil, nil, &time)
    }

    private func wait(milliseconds: Int32) { wait(wake, milliseconds: milliseconds) }

    private func wait(_ descriptor: Int32, milliseconds: Int32) {
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&item, 1, milliseconds) > 0 else { return }
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }

    private func takeGroup() -> (payloads: [[UInt8]], first: UInt64) {
        state.withLock { state in
            var bytes = 0
            var count = 0
            while count < state.payloads.count, count == 0 || bytes < JournalWriter.groupBytes {
                bytes += state.payloads[count].count
                count += 1
            }
            let group = Array(state.payloads.prefix(count))
            state.payloads.removeFirst(count)
            return (group, state.status.durable + 1)
        }
    }

    /// Tries until the disk takes it; false when the process ends before it does.
    private func commit(_ group: [[UInt8]], first: UInt64) -> Bool {
        var pause: Int32 = 50
        while true {
            do throws(JournalError) {
                let done = try appender.withLock { appender throws(JournalError) in
                    try appender.commit(group, first: first, now: wallClock())
                }
                succeed(group, done)
                return true
            } catch {
                let isClosing = state.withLock { state in
                    state.status.failure = error
                    return state.isClosing
                }
                onProgress()
                if isClosing { return false }
                waitForRetry(pause)
                pause = min(JournalWriter.longestPause, pause * 2)
            }
        }
    }

    private func succeed(_ group: [[UInt8]], _ done: JournalAppender.Commit) {
        state.withLock { state in
            state.status.durable += UInt64(group.count)
            state.status.waitingBytes -= group.reduce(0) { $0 + $1.count }
            state.status.failure = nil
            state.status.groups += 1
            state.written += done.bytes
            state.status.sizes.hotBytes += done.bytes
            state.status.sizes.segments += done.segmentsMade
            state.status.lastSyncMicroseconds = done.syncMicroseconds
            state.status.slowestSyncMicroseconds = max(state.status.slowestSyncMicroseconds, done.syncMicroseconds)
        }
        onProgress()
        if done.segmentsMade > 0 { signal(upkeepWake) }
    }

    /// Between two looks at closed segments, if none is closed meanwhile.
    private static let upkeepPause: Int32 = 30_000
    /// While it fails, for example on a full disk.
    private static let upkeepRetry: Int32 = 2000

    /// The second thread: closed segments are compressed, moved and removed beside the writing, at low priority.
    func lookAfterSegments() {
        // On Linux this is the calling thread alone. Source: setpriority(2), C library/kernel differences.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        var upkeep = JournalUpkeep(directory: directory, tiers: options.tiers) { [self] in
            state.withLock { $0.isClosing }
        }
        while !state.withLock({ $0.isClosing }) {
            var pause = JournalWriter.upkeepPause
            let writtenBefore = state.withLock { $0.written }
            do throws(JournalError) {
                let sizes = try upkeep.pass(now: wallClock())
                let archive = try upkeep.archive()
                state.withLock { state in
                    state.status.sizes = sizes
                    state.status.archive = archive
                    state.status.sizes.hotBytes += state.written - writtenBefore
                    state.status.upkeepFailure = nil
                }
            } catch {
                state.withLock { $0.status.upkeepFailure = error }
                pause = JournalWriter.upkeepRetry
            }
            wait(upkeepWake, milliseconds: pause)
        }
    }

    /// New records don't cut the pause short; the end of the process does.
    private func waitForRetry(_ milliseconds: Int32) {
        let deadline = MonotonicClock.microseconds() + Int64(milliseconds) * 1000
        while !state.withLock({ $0.isClosing }) {
            let left = deadline - MonotonicClock.microseconds()
            if left <= 0 { return }
            wait(milliseconds: Int32(left / 1000 + 1))
        }
    }

    private func wallClock() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
