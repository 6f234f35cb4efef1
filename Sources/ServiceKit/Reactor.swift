public import ZeroMQ

/// One thread's loop: every socket, descriptor and timer of a process in one `zmq_poll`.
///
/// Handlers run on the thread that calls ``run()`` and never block. Before each wait the `beforeWait` handlers run:
/// that is where pipelines are flushed, so that a batch of inputs costs one write.
public final class Reactor {
    public typealias Handler = () throws -> Void

    private struct SocketWatch {
        let handle: UnsafeMutableRawPointer
        let isWanted: () -> Bool
        let rest: Int64
        let handler: Handler
        /// Until when, on the monotonic clock, it is left alone.
        var restsUntil: Int64 = 0
        /// Since when, on the monotonic clock, something has been there that was not taken; nil while nothing is.
        var unreadSince: Int64?
    }

    private struct DescriptorWatch {
        let descriptor: () -> Int32
        let wantsWrite: () -> Bool
        let readable: Handler
        let writable: Handler
        let hasUnread: (() -> Bool)?
        /// As with sockets.
        var unreadSince: Int64?
    }

    private struct Timer {
        let identifier: Int
        var due: Int64
        let interval: Int64?
        let handler: Handler
    }

    private var sockets: [SocketWatch] = []
    private var descriptors: [DescriptorWatch] = []
    private var timers: [Timer] = []
    private var flushers: [Handler] = []
    private var nextTimer = 0
    private var isStopping = false
    /// The longest a turn of the loop took since it was last taken, in milliseconds: what a stuck handler shows up in.
    public private(set) var longestTurn: Int64 = 0

    public init() {}

    /// For how long the oldest message that is still unread has been waiting at a socket, in milliseconds: it was there when
    /// its socket was looked at and its handler left it, or took nothing; 0 while every socket is empty.
    ///
    /// What comes on while a handler works counts from the end of that turn.
    public var oldestUnread: Int64 {
        let now = SystemClock.monotonicMilliseconds()
        let since = [
            sockets.lazy.compactMap(\.unreadSince).min(), descriptors.lazy.compactMap(\.unreadSince).min(),
        ]
        return since.compactMap { $0 }.min().map { now - $0 } ?? 0
    }

    /// Calls the handler while the socket has something to receive. The handler takes a bounded number and returns.
    ///
    /// - Parameters:
    ///   - isWanted: asked before each wait; while it says no, messages stay with libzmq and hold their senders.
    ///   - rest: milliseconds for which the socket is left alone once it was served, so that a stream of thousands a
    ///     second comes in batches: each look costs some ten messages' worth of calls. 0 is never.
    public func watch(
        _ socket: borrowing ZMQSocket, restingMilliseconds rest: Int64 = 0,
        while isWanted: @escaping () -> Bool = { true }, _ handler: @escaping Handler
    ) {
        sockets.append(SocketWatch(handle: socket.pollHandle, isWanted: isWanted, rest: rest, handler: handler))
    }

    /// Watches a descriptor that may change or be -1 (closed, or not wanted now).
    ///
    /// - Parameter hasUnread: whether messages wait there, for ``oldestUnread``; nil where it brings no messages.
    public func watch(
        descriptor: @escaping () -> Int32, wantsWrite: @escaping () -> Bool = { false },
        hasUnread: (() -> Bool)? = nil, readable: @escaping Handler, writable: @escaping Handler = {}
    ) {
        descriptors.append(
            DescriptorWatch(
                descriptor: descriptor, wantsWrite: wantsWrite, readable: readable, writable: writable,
                hasUnread: hasUnread))
    }

    @discardableResult
    public func every(milliseconds: Int64, _ handler: @escaping Handler) -> Int {
        addTimer(after: milliseconds, interval: milliseconds, handler)
    }

    @discardableResult
    public func after(milliseconds: Int64, _ handler: @escaping Handler) -> Int {
        addTimer(after: milliseconds, interval: nil, handler)
    }

    public func cancel(timer identifier: Int) { timers.removeAll { $0.identifier == identifier } }

    private func addTimer(after milliseconds: Int64, interval: Int64?, _ handler: @escaping Handler) -> Int {
        nextTimer += 1
        let due = SystemClock.monotonicMilliseconds() + milliseconds
        timers.append(Timer(identifier: nextTimer, due: due, interval: interval, handler: handler))
        return nextTimer
    }

    public func beforeWait(_ handler: @escaping Handler) { flushers.append(handler) }

    /// Makes ``run()`` return after this turn. Call it on the loop's thread.
    public func stop() { isStopping = true }

    /// The longest turn since the last call, in milliseconds.
    public func takeLongestTurn() -> Int64 {
        defer { longestTurn = 0 }
        return longestTurn
    }

    /// Runs until ``stop()``.
    public func run() throws {
        isStopping = false
        while !isStopping { try turn(maximumWait: 1000) }
    }

    /// Runs turns until the condition holds or the time is over; returns whether it holds.
    public func run(until condition: () -> Bool, milliseconds: Int64) throws -> Bool {
        let deadline = SystemClock.monotonicMilliseconds() + milliseconds
        while !condition() {
            let left = deadline - SystemClock.monotonicMilliseconds()
            if left <= 0 { return condition() }
            try turn(maximumWait: left)
        }
        return true
    }

    private func turn(maximumWait: Int64) throws {
        for flusher in flushers { try flusher() }
        var items: [PollItem] = []
        items.reserveCapacity(sockets.count + descriptors.count)
        let now = SystemClock.monotonicMilliseconds()
        var longest = maximumWait
        for index in sockets.indices {
            let rest = sockets[index].restsUntil - now
            guard rest <= 0 else {
                longest = min(longest, rest)
                items.append(PollItem(descriptor: -1))
                continue
            }
            let isWanted = sockets[index].isWanted()
            items.append(isWanted ? PollItem(pollHandle: sockets[index].handle) : PollItem(descriptor: -1))
            if !isWanted { note(index, at: SystemClock.monotonicMilliseconds()) }
        }
        for index in descriptors.indices {
            let descriptor = descriptors[index].descriptor()
            items.append(PollItem(descriptor: descriptor, writable: descriptors[index].wantsWrite()))
            if descriptor < 0 { note(descriptor: index, at: SystemClock.monotonicMilliseconds()) }
        }
        let ready = try poll(&items, timeout: Int(waitTime(longest)))
        let started = SystemClock.monotonicMilliseconds()
        if ready > 0 {
            let first = sockets.count
            for index in 0..<first where items[index].isReadable {
                try sockets[index].handler()
                note(index, at: started)
                if sockets[index].rest > 0 { sockets[index].restsUntil = started + sockets[index].rest }
            }
            // Handlers may add watches; only those that were polled are looked at.
            for index in 0..<(items.count - first) where index < descriptors.count {
                if items[first + index].isWritable { try descriptors[index].writable() }
                if items[first + index].isReadable {
                    try descriptors[index].readable()
                    note(descriptor: index, at: started)
                }
            }
        }
        try fireTimers(started)
        longestTurn = max(longestTurn, SystemClock.monotonicMilliseconds() - started)
    }

    /// Looks whether something is left at a socket.
    private func note(_ index: Int, at now: Int64) {
        let isLeft = hasMessages(pollHandle: sockets[index].handle)
        sockets[index].unreadSince = isLeft ? sockets[index].unreadSince ?? now : nil
    }

    private func note(descriptor index: Int, at now: Int64) {
        guard let hasUnread = descriptors[index].hasUnread else { return }
        descriptors[index].unreadSince = hasUnread() ? descriptors[index].unreadSince ?? now : nil
    }

    private func waitTime(_ maximum: Int64) -> Int64 {
        guard let next = timers.map(\.due).min() else { return maximum }
        return min(maximum, max(0, next - SystemClock.monotonicMilliseconds()))
    }

    private func fireTimers(_ now: Int64) throws {
        let due = timers.filter { $0.due <= now }.map(\.identifier)
        for identifier in due {
            guard let index = timers.firstIndex(where: { $0.identifier == identifier }) else { continue }
            let timer = timers[index]
            if let interval = timer.interval {
                // A loop that was held up does not fire once for every beat it missed.
                timers[index].due = max(now + 1, timer.due + interval)
            } else {
                timers.remove(at: index)
            }
            try timer.handler()
        }
    }
}
