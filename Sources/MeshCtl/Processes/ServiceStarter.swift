import Domain
import Foundation
import Redis
import ServiceKit
import Supervision

/// How one service came up.
struct ReadyService {
    let name: String
    let pid: Int32
    /// From its own start until it was ready.
    let ownMilliseconds: Int64
    /// From the start of the first of those brought up together.
    let sinceFirstMilliseconds: Int64
}

/// Brings supervised services up one after the other, each only when the one before is ready.
struct ServiceStarter {
    let mesh: Mesh
    let patience: Patience

    static let deadlineMilliseconds: Int64 = 15_000
    static let shownLogLines = 12

    private var supervisor: Supervisor { mesh.supervisor }

    /// - Throws: ``ToolError`` that says which service did not get ready, why, and the end of its log.
    func bringUp(_ names: [String]) throws -> [ReadyService] {
        let first = SystemClock.monotonicMilliseconds()
        return try names.map { name in
            let began = SystemClock.monotonicMilliseconds()
            let pid = try bringUp(name)
            let now = SystemClock.monotonicMilliseconds()
            return ReadyService(
                name: name, pid: pid, ownMilliseconds: now - began, sinceFirstMilliseconds: now - first)
        }
    }

    private func bringUp(_ name: String) throws -> Int32 {
        let log = LogTail(mesh.logFile(name))
        let exits = supervisor.history(name).exits.count
        try patience.checkInterrupt()
        try supervisor.up(name)
        var pid: Int32?
        var death: ServiceExit?
        let answered = try patience.wait(milliseconds: ServiceStarter.deadlineMilliseconds) {
            if let running = supervisor.status(name).pid, isReady(name, running) {
                pid = running
                return true
            }
            death = supervisor.history(name).exits.dropFirst(exits).first { $0.kind != .stopped }
            return death != nil
        }
        guard answered, let pid, death == nil else { throw failure(name, death, log) }
        if name == ServiceName.redis.rawValue { try RedisCheck.isSafe(mesh) }
        return pid
    }

    private func isReady(_ name: String, _ pid: Int32) -> Bool {
        guard let service = ServiceName(rawValue: name) else {
            // The simulator is ready when terminals of its own are connected.
            let reply = try? RedisConnection(mesh.configuration.redis).call(
                ["SCARD", "active_nodes"], milliseconds: 500)
            return (reply?.integer ?? 0) > 0
        }
        if service == .redis { return RedisCheck.pid(mesh.configuration.redis) == pid }
        return ReadinessFile(directory: mesh.configuration.runDirectory, service: service).read()?.pid == pid
    }

    private func failure(_ name: String, _ death: ServiceExit?, _ log: LogTail) -> ToolError {
        let what: String
        if let death {
            let how = death.signal != 0 ? "signal \(death.signal)" : "exit code \(death.exitCode)"
            what = "\(name) ended at once (\(how))"
        } else {
            what = "\(name) did not get ready within \(ServiceStarter.deadlineMilliseconds / 1000) s"
        }
        // The log writer is a process of its own: give it a moment to write what it has got.
        _ = try? patience.wait(milliseconds: 300) { !log.lines(1).isEmpty }
        let lines = log.lines(ServiceStarter.shownLogLines)
        let tail = lines.isEmpty ? "; it wrote nothing to \(log.path)" : "; the end of \(log.path):"
        return ToolError(ExitStatus.software, ([what + tail] + lines.map { "    " + $0 }).joined(separator: "\n"))
    }
}
