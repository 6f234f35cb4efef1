import Domain
import Foundation
import Glibc
import Redis
import ServiceKit
import Supervision

/// A redis-server for as long as a command needs one: the mesh's own while the mesh is stopped, or one that shows what
/// is in a snapshot. Ends with its owner, in order.
final class TemporaryRedis {
    let address: RedisAddress
    private let process: Process
    private static let patience: Int64 = 60_000

    private init(
        _ program: String, _ arguments: [String], directory: String, input: String?, address: RedisAddress
    ) throws(ToolError) {
        self.address = address
        process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardInput = input == nil ? FileHandle.nullDevice : pipe
        do {
            try process.run()
            if let input {
                try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
                try pipe.fileHandleForWriting.close()
            }
        } catch {
            throw ToolError(ExitStatus.unavailable, "cannot start \(program): \(error.localizedDescription)")
        }
        try waitUntilItServes()
    }

    deinit {
        guard process.isRunning else { return }
        // Asked, not signalled: signals may be blocked in what a process of ours starts. All it has is on disk by then.
        _ = try? RedisConnection(address).call(["SHUTDOWN", "NOSAVE"], milliseconds: 5000)
        let deadline = SystemClock.monotonicMilliseconds() + 10_000
        while process.isRunning, SystemClock.monotonicMilliseconds() < deadline { poll(nil, 0, 5) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// The mesh's own Redis with its own settings, port and data.
    static func own(_ mesh: Mesh) throws(ToolError) -> TemporaryRedis {
        try PrivateFile.makeDirectory(mesh.redisDirectory)
        let service = try mesh.redisService()
        return try TemporaryRedis(
            service.executable, service.arguments, directory: mesh.redisDirectory, input: nil,
            address: mesh.configuration.redis)
    }

    /// A Redis with what is in a snapshot, for this process alone: a port that was free, and a password nobody knows.
    static func showing(snapshot name: String, in directory: String) throws(ToolError) -> TemporaryRedis {
        guard let program = ProgramSearch.find("redis-server") else {
            throw ToolError(ExitStatus.unavailable, "redis-server is not installed")
        }
        guard let port = freePort() else { throw ToolError(ExitStatus.unavailable, "no port is free") }
        let password = UUID().uuidString + UUID().uuidString
        let settings = """
            bind 127.0.0.1
            port \(port)
            requirepass \(password)
            dir "\(directory)"
            dbfilename \(name)
            save ""
            appendonly no
            daemonize no
            """
        return try TemporaryRedis(
            program, ["-"], directory: directory, input: settings + "\n",
            address: RedisAddress(host: "127.0.0.1", port: port, password: password))
    }

    private func waitUntilItServes() throws(ToolError) {
        let deadline = SystemClock.monotonicMilliseconds() + TemporaryRedis.patience
        while process.isRunning, SystemClock.monotonicMilliseconds() < deadline {
            if let reply = try? RedisConnection(address).call(["PING"], milliseconds: 1000), reply.text == "PONG" {
                return
            }
            poll(nil, 0, 20)
        }
        throw ToolError(ExitStatus.unavailable, "redis-server does not serve at \(address): is its data readable?")
    }

    private static func freePort() -> Int? {
        for _ in 0..<1000 {
            let port = Int.random(in: 10_000..<32_000)
            guard var address = LoopbackSocket.address("127.0.0.1", port: port) else { continue }
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            let size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isFree = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 }
            }
            if isFree { return port }
        }
        return nil
    }
}
