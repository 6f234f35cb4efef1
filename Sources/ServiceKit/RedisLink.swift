public import Logging
public import Redis

/// A service's Redis: connects, checks that it is safe, loads scripts, and comes back by itself.
///
/// Commands sent while it is away complete with nil at once; the caller decides what that means. Owned by the loop.
public final class RedisLink {
    public enum State: Sendable, Equatable {
        case away
        case connecting
        case ready
        /// It answers, but does not keep what it is told; the text says why.
        case unsafe(String)
    }

    public private(set) var state: State = .away
    public var isReady: Bool { state == .ready && !isStalled }
    /// Whether an answer has been waited for longer than ``stallMilliseconds``.
    public private(set) var isStalled = false
    /// Called at every (re)connection, after scripts are loaded, before anything else is sent.
    public var onReady: [() -> Void] = []
    public var onLost: [() -> Void] = []
    /// Called once when Redis answers but is not safe to trust.
    public var onUnsafe: ((String) -> Void)?
    /// Sends what somebody gathers to send it in fewer calls: asked before the loop waits, at the end, and before any
    /// single command, which may be about what was gathered before it.
    public var gathered: (() -> Void)?

    private static let stallMilliseconds: Int64 = 1000
    /// Past this the connection is given up: who waits for an answer hears that there is none, instead of acting on one
    /// that comes when its question is long out of date.
    private static let giveUpMilliseconds: Int64 = 2000
    private let connection: RedisConnection
    private let scripts: [RedisScript]
    private let requiresSafety: Bool
    private let log: Logger
    private var retryDelay: Int64 = 50
    private var nextAttempt: Int64 = 0
    private var lastReply: Int64 = 0

    public init(address: RedisAddress, scripts: [RedisScript], allowUnsafe: Bool, reactor: Reactor, log: Logger) {
        connection = RedisConnection(address)
        self.scripts = scripts
        requiresSafety = !allowUnsafe
        self.log = log
        reactor.watch(
            descriptor: { [connection] in connection.descriptor },
            wantsWrite: { [connection] in connection.wantsWrite },
            readable: { [unowned self] in guarded { () throws(RedisConnectionError) in try connection.readReplies() } },
            writable: { [unowned self] in guarded { () throws(RedisConnectionError) in try connection.flush() } })
        reactor.beforeWait { [unowned self] in
            gathered?()
            guarded { () throws(RedisConnectionError) in try connection.flush() }
        }
        reactor.every(milliseconds: 25) { [unowned self] in beat() }
        attempt()
    }

    public var address: RedisAddress { connection.address }

    /// Sends one command; the completion gets nil when its fate is unknown or it was never sent.
    public func send(_ arguments: [String], _ completion: @escaping RedisConnection.Completion = { _ in }) {
        guard state == .ready else { return completion(nil) }
        gathered?()
        perform(arguments, completion)
    }

    /// Runs a script. A Redis that lost its scripts gets the source once more: it did not run then.
    public func run(
        _ script: RedisScript, keys: [String], _ values: [String],
        _ completion: @escaping RedisConnection.Completion = { _ in }
    ) {
        guard state == .ready else { return completion(nil) }
        perform(script.arguments(keys: keys, values)) { [unowned self] reply in
            guard let message = reply?.errorMessage, message.hasPrefix("NOSCRIPT") else { return completion(reply) }
            script.forget()
            perform(script.arguments(keys: keys, values), completion)
        }
    }

    private func perform(_ arguments: [String], _ completion: @escaping RedisConnection.Completion) {
        if connection.outstanding == 0 { lastReply = SystemClock.monotonicMilliseconds() }
        connection.send(arguments) { [unowned self] reply in
            lastReply = SystemClock.monotonicMilliseconds()
            completion(reply)
        }
    }

    /// Waits until every command is answered, for the end of a process.
    public func drain(milliseconds: Int) {
        guard connection.isOpen else { return }
        gathered?()
        guarded { () throws(RedisConnectionError) in try connection.drain(milliseconds: milliseconds) }
    }

    public var outstanding: Int { connection.outstanding }

    // MARK: - Connecting

    private func beat() {
        let now = SystemClock.monotonicMilliseconds()
        if !connection.isOpen, now >= nextAttempt { attempt() }
        let wasStalled = isStalled
        let silence = connection.outstanding > 0 ? now - lastReply : 0
        isStalled = silence > RedisLink.stallMilliseconds
        if isStalled && !wasStalled && state == .ready {
            log.warning("Redis does not answer", metadata: ["redis": "\(address)"])
        }
        if silence > RedisLink.giveUpMilliseconds {
            if state == .ready { log.warning("Redis is given up", metadata: ["redis": "\(address)"]) }
            connection.close()
            lost()
        }
    }

    private func attempt() {
        state = .connecting
        guarded { [self] () throws(RedisConnectionError) in
            try connection.open()
            lastReply = SystemClock.monotonicMilliseconds()
            // A Redis that is still loading its data says so to every command: ask again a little later.
            connection.send(["PING"]) { [unowned self] reply in
                guard let reply else { return }
                lastReply = SystemClock.monotonicMilliseconds()
                if let message = reply.errorMessage { return refuse(message) }
                checkSafety()
            }
        }
    }

    private func refuse(_ message: String) {
        log.info("Redis is not ready", metadata: ["answer": "\(message)"])
        connection.close()
        lost()
    }

    private func checkSafety() {
        guard requiresSafety else { return becomeReady() }
        RedisSafety.check(connection) { [unowned self] problem in
            guard let problem else { return becomeReady() }
            if state != .unsafe(problem) {
                state = .unsafe(problem)
                log.critical("Redis is not safe to keep trades in", metadata: ["why": "\(problem)"])
                onUnsafe?(problem)
            }
        }
    }

    private func becomeReady() {
        for script in scripts {
            script.forget()
            script.load(on: connection) { [log] message in
                log.critical("a script was refused", metadata: ["why": "\(message)"])
            }
        }
        state = .ready
        isStalled = false
        retryDelay = 50
        log.info("Redis is ready", metadata: ["redis": "\(address)"])
        for handler in onReady { handler() }
    }

    private func guarded(_ body: () throws(RedisConnectionError) -> Void) {
        do throws(RedisConnectionError) {
            try body()
        } catch {
            if state == .ready { log.warning("Redis was lost", metadata: ["why": "\(error)"]) }
            lost()
        }
    }

    private func lost() {
        let wasReady = state == .ready
        state = .away
        nextAttempt = SystemClock.monotonicMilliseconds() + retryDelay
        retryDelay = min(500, retryDelay * 2)
        if wasReady { for handler in onLost { handler() } }
    }
}
