import Foundation
import Glibc
public import Redis

/// A real redis-server with the mesh's durable settings, on a port and in a directory of its own.
///
/// It keeps its data over ``stop()``, ``kill()`` and ``start()``, and ends with its owner. One thread uses it.
public final class RedisServer {
    public let port: Int
    private let directory: TemporaryDirectory
    private let settings: [String]
    private let connection: RedisConnection
    private var process: ChildProcess?

    public static let isInstalled = FileManager.default.isExecutableFile(atPath: executable)
    private static let executable = "/usr/bin/redis-server"

    /// - Parameters:
    ///   - port: nil finds a free one.
    ///   - settings: more of redis-server's command line, for example `["--appendfsync", "everysec"]`.
    public init(port: Int? = nil, settings: [String] = []) throws {
        self.port = try port ?? FreePorts.next()
        self.settings = settings
        directory = try TemporaryDirectory("redis")
        connection = RedisConnection(RedisAddress(host: "127.0.0.1", port: self.port))
        try start()
    }

    deinit {
        connection.close()
        process = nil
    }

    public var address: RedisAddress { connection.address }
    public var pid: Int32? { process?.pid }

    /// Starts it on the same data and waits for its first PONG.
    public func start() throws {
        let arguments =
            [Project.root + "/deploy/config/redis.conf", "--port", String(port), "--dir", directory.path]
            + ["--bind", "127.0.0.1"] + settings
        let started = try ChildProcess(
            Project.root + "/deploy/scripts/redis_server.sh", arguments, environment: Project.cleanEnvironment,
            log: directory.path + "/redis")
        process = started
        try eventually("redis-server on \(port) answers\n\(started.tail())", within: 10) {
            // An end is an end: nobody waits for an answer of it.
            guard started.isRunning else { return true }
            return try call("PING").text == "PONG"
        }
        guard started.isRunning else {
            throw ChildProcess.Failure(description: "redis-server ended:\n\(started.tail())")
        }
    }

    /// Ends it as an operator does, data on disk.
    public func stop() throws { try end(SIGTERM) }

    /// The file it appends to.
    public var appendOnlyFile: String { directory.path + "/appendonlydir/appendonly.aof.1.incr.aof" }

    /// Ends it as a crash does.
    public func kill() throws { try end(SIGKILL) }

    private func end(_ signal: Int32) throws {
        connection.close()
        process?.kill(SIGCONT)
        process?.kill(signal)
        try process?.wait(within: 10)
        process = nil
    }

    /// It keeps its connections and says nothing more, as a machine that swaps does.
    public func pause() { process?.kill(SIGSTOP) }
    public func resume() { process?.kill(SIGCONT) }

    // MARK: - Asking it

    @discardableResult
    public func call(_ arguments: String...) throws -> RedisValue { try connection.call(arguments) }

    public func hash(_ key: String) throws -> [String: String] { try call("HGETALL", key).dictionary ?? [:] }
    public func members(_ key: String) throws -> [String] { try call("SMEMBERS", key).texts.sorted() }
    public func integer(_ key: String, _ field: String) throws -> Int64 { try call("HGET", key, field).integer ?? 0 }
}
