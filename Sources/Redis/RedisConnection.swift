import CHiredis
import DequeModule
import Glibc

/// A pipelining, never blocking connection, driven by whoever polls its descriptor.
///
/// Commands are queued and leave with ``flush()``; replies come back, in order, as calls of the closures given
/// with them, from ``readReplies()``. One thread owns it. When the connection is lost every waiting closure is
/// called once with `nil`: the command may or may not have run, which is what its caller has to know.
/// Source: hiredis 0.14 (`redisConnectNonBlock`, `redisAppendCommandArgv`, `redisBufferRead`, sds, reader API).
public final class RedisConnection {
    public typealias Completion = (RedisValue?) -> Void

    public private(set) var address: RedisAddress
    private var context: UnsafeMutablePointer<redisContext>?
    private var waiting: Deque<Completion> = []
    private var hasUnsent = false
    /// How much of what is queued has left: moving the rest up at each write would cost its square.
    private var sent = 0

    public init(_ address: RedisAddress) { self.address = address }

    deinit { if let context { redisFree(context) } }

    /// The descriptor to poll, or -1 while closed. It changes with each connect.
    public var descriptor: Int32 { context?.pointee.fd ?? -1 }
    public var isOpen: Bool { context != nil }
    /// Whether the descriptor should be polled for writing too.
    public var wantsWrite: Bool { hasUnsent }
    /// Commands whose replies have not come.
    public var outstanding: Int { waiting.count }

    /// Begins to connect; the outcome shows at the first reply or error. Login commands go ahead of all others.
    public func open() throws(RedisConnectionError) {
        close()
        guard let fresh = redisConnectNonBlock(address.host, Int32(address.port)) else {
            throw RedisConnectionError(code: .connect, message: "out of memory")
        }
        guard fresh.pointee.err == 0 else {
            let error = RedisConnectionError(fresh)
            redisFree(fresh)
            throw RedisConnectionError(code: .connect, message: error.message)
        }
        context = fresh
        if let password = address.password {
            send(["AUTH"] + (address.user.map { [$0] } ?? []) + [password]) { _ in }
        }
        if address.database != 0 { send(["SELECT", String(address.database)]) { _ in } }
    }

    /// Closes and tells every waiting caller that its reply will not come.
    public func close() {
        if let context { redisFree(context) }
        context = nil
        hasUnsent = false
        sent = 0
        let abandoned = waiting
        waiting = []
        for completion in abandoned { completion(nil) }
    }

    /// Queues one command. While closed the completion is called at once with nil.
    public func send(_ arguments: [String], _ completion: @escaping Completion) {
        guard let context, append(arguments, to: context) else { return completion(nil) }
        waiting.append(completion)
        hasUnsent = true
    }

    private func append(_ arguments: [String], to context: UnsafeMutablePointer<redisContext>) -> Bool {
        // One buffer holds all bytes; the pointers are taken when it no longer moves. Bulk copies: a script's one
        // argument may be hundreds of kilobytes.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(arguments.reduce(1) { $0 + $1.utf8.count })
        var lengths: [Int] = []
        lengths.reserveCapacity(arguments.count)
        for argument in arguments {
            let start = bytes.count
            bytes.append(contentsOf: argument.utf8)
            lengths.append(bytes.count - start)
        }
        bytes.append(0)
        return bytes.withUnsafeBytes { buffer in
            let start = buffer.assumingMemoryBound(to: CChar.self).baseAddress
            var pointers: [UnsafePointer<CChar>?] = []
            pointers.reserveCapacity(lengths.count)
            var offset = 0
            for length in lengths {
                pointers.append(start?.advanced(by: offset))
                offset += length
            }
            return redisAppendCommandArgv(context, Int32(arguments.count), &pointers, lengths) == REDIS_OK
        }
    }

    /// Writes what is queued, as far as the kernel takes it now.
    public func flush() throws(RedisConnectionError) {
        guard let context, hasUnsent else { return }
        guard let queued = context.pointee.obuf else { return }
        let length = sdslen(queued)
        // redisBufferWrite would write(2): a Redis that died would end this process by SIGPIPE.
        let count = Glibc.send(context.pointee.fd, queued + sent, length - sent, Int32(MSG_NOSIGNAL))
        guard count >= 0 else {
            let code = errno
            guard code != EAGAIN, code != EINTR else { return }
            close()
            throw RedisConnectionError(code: .output, message: String(cString: strerror(code)))
        }
        sent += count
        hasUnsent = sent < length
        if hasUnsent, sent > length / 2, let first = Int32(exactly: sent) {
            sdsrange(queued, first, -1)
            sent = 0
        } else if !hasUnsent {
            sent = 0
            // A long pipeline's room is given back.
            sdsfree(queued)
            context.pointee.obuf = sdsempty()
        }
    }

    /// Reads what has arrived and delivers complete replies.
    public func readReplies() throws(RedisConnectionError) {
        guard let context else { return }
        guard redisBufferRead(context) == REDIS_OK else { throw fail(context) }
        try deliver(context)
    }

    private func deliver(_ context: UnsafeMutablePointer<redisContext>) throws(RedisConnectionError) {
        // A completion may close this connection: stop as soon as it is not the same one.
        while self.context == context {
            var reply: UnsafeMutableRawPointer?
            guard redisReaderGetReply(context.pointee.reader, &reply) == REDIS_OK else {
                close()
                throw RedisConnectionError(code: .protocolViolation, message: "unreadable reply")
            }
            guard let reply else { return }
            let value = RedisValue(reply.assumingMemoryBound(to: redisReply.self))
            freeReplyObject(reply)
            waiting.popFirst()?(value)
        }
    }

    private func fail(_ context: UnsafeMutablePointer<redisContext>) -> RedisConnectionError {
        let error = RedisConnectionError(context)
        close()
        return error
    }

    /// Sends what is queued and waits for every outstanding reply, for start-up and shut-down only.
    ///
    /// - Parameter milliseconds: how long at most.
    public func drain(milliseconds: Int) throws(RedisConnectionError) {
        let deadline = monotonicMilliseconds() + milliseconds
        while isOpen && (hasUnsent || !waiting.isEmpty) {
            try flush()
            let left = deadline - monotonicMilliseconds()
            guard left > 0 else { throw RedisConnectionError(code: .timeout, message: "no answer from \(address)") }
            var item = pollfd(fd: descriptor, events: Int16(POLLIN | (hasUnsent ? POLLOUT : 0)), revents: 0)
            if Glibc.poll(&item, 1, Int32(left)) > 0, item.revents & Int16(POLLIN | POLLERR | POLLHUP) != 0 {
                try readReplies()
            }
        }
        if !isOpen { throw RedisConnectionError(code: .endOfFile, message: "connection to \(address) was lost") }
    }

    private func monotonicMilliseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

extension RedisConnection {
    /// One command and its reply, waited for: for tools and start-up, never inside a loop that serves others.
    public func call(_ arguments: [String], milliseconds: Int = 2000) throws(RedisConnectionError) -> RedisValue {
        var answer: RedisValue?
        if !isOpen { try open() }
        send(arguments) { answer = $0 }
        try drain(milliseconds: milliseconds)
        guard let answer else { throw RedisConnectionError(code: .endOfFile, message: "no reply from \(address)") }
        return answer
    }

    /// Many commands in one pipeline, waited for; replies in the order of the commands.
    public func call(pipeline: [[String]], milliseconds: Int = 5000) throws(RedisConnectionError) -> [RedisValue] {
        var answers: [RedisValue] = []
        answers.reserveCapacity(pipeline.count)
        if !isOpen { try open() }
        for arguments in pipeline { send(arguments) { if let value = $0 { answers.append(value) } } }
        try drain(milliseconds: milliseconds)
        guard answers.count == pipeline.count else {
            throw RedisConnectionError(code: .endOfFile, message: "replies are missing from \(address)")
        }
        return answers
    }
}
