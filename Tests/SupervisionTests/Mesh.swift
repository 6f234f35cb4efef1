import Foundation
import Glibc
import Supervision
import Testing

/// A run directory of its own with the project's real scripts, ended and removed whatever the test did.
struct Mesh: Sendable {
    let directory: String
    let supervisor: Supervisor

    static let scripts = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("deploy/runit").path

    static let isRunitInstalled = ["runsvdir", "runsv", "svlogd", "chpst"]
        .allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)") }

    static func with(_ body: (Mesh) async throws -> Void) async throws {
        let directory = "/tmp/supervision-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let supervisor = Supervisor(
            runDirectory: "\(directory)/var/run", logDirectory: "\(directory)/logs", scriptDirectory: scripts)
        let mesh = Mesh(directory: directory, supervisor: supervisor)
        do { try await body(mesh) } catch {
            try await blocking { try supervisor.stopDaemon() }
            try FileManager.default.removeItem(atPath: directory)
            throw error
        }
        try await blocking { try supervisor.stopDaemon() }
        try FileManager.default.removeItem(atPath: directory)
    }

    /// A service that runs shell code with these arguments.
    func shell(_ name: String, _ code: String, _ arguments: [String] = [], environment: [String: String] = [:])
        -> SupervisedService
    {
        SupervisedService(
            name: name, executable: "/bin/sh", arguments: ["-c", code, name] + arguments, environment: environment,
            workingDirectory: directory)
    }

    /// Prepares the services and starts the daemon, then the services in this order.
    func start(_ services: SupervisedService...) async throws {
        let supervisor = supervisor
        try await blocking {
            try supervisor.prepare(services: services)
            try supervisor.startDaemon()
            for service in services { try supervisor.up(service.name) }
        }
    }

    func up(_ name: String) async throws {
        let supervisor = supervisor
        try await blocking { try supervisor.up(name) }
    }

    func down(_ name: String, timeoutSeconds: Double = 5) async throws -> Supervisor.StopOutcome {
        let supervisor = supervisor
        return try await blocking { try supervisor.down(name, timeoutSeconds: timeoutSeconds) }
    }

    func text(_ path: String) -> String? { try? String(contentsOfFile: "\(directory)/\(path)", encoding: .utf8) }

    /// The process id of the running service once it has written the file `<name>.ready`.
    func readyPid(_ name: String, otherThan old: Int32? = nil, seconds: Double = 5) async throws -> Int32 {
        let found = await eventually(seconds: seconds) {
            guard let pid = text("\(name).ready").flatMap({ Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) })
            else { return nil as Int32? }
            return pid != old && isAlive(pid) ? pid : nil
        }
        return try #require(found, "\(name) did not get ready within \(seconds) s")
    }
}

/// Shell code of a service that notes its pid and stays.
let staying = "echo $$ >\"$0.ready\"; echo hello from $0; exec sleep 600"

/// Runs blocking calls on a thread of their own: the pool of the concurrent tests stays free.
func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}

/// The first value that isn't nil, or nil once the time is over.
func eventually<T>(seconds: Double = 5, _ value: () -> T?) async -> T? {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
        if let value = value() { return value }
        if ContinuousClock.now >= end { return nil }
        try? await Task.sleep(for: .milliseconds(5))
    }
}

func eventuallyTrue(seconds: Double = 5, _ condition: () -> Bool) async -> Bool {
    await eventually(seconds: seconds) { condition() ? true : nil } ?? false
}

func isAlive(_ pid: Int32) -> Bool {
    guard let line = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
    return !line.contains(") Z ")
}
