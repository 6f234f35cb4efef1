import Foundation
import Glibc

/// The services of one mesh under Debian's runit: a `runsvdir` of our own over `<run>/sv`, started detached.
///
/// All calls are synchronous and wait for conditions with a deadline; none belongs into a service's loop. A `start` or
/// `stop` as a whole runs inside `withLock`. Sources: runsvdir(8), runsv(8), svlogd(8), chpst(8) of runit 2.1.2.
public struct Supervisor: Sendable {
    /// Variables of the caller that the services see besides their own `environment`.
    public static let inheritedVariables = [
        "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SWIFT_BACKTRACE",
    ]

    /// How a service came to its end in `down`.
    public enum StopOutcome: Sendable, Equatable {
        case alreadyDown
        /// It ended after TERM; its entry in the record where there is one.
        case terminated(ServiceExit?)
        /// It ignored TERM for that many seconds and got KILL.
        case killed(afterSeconds: Double)
    }

    /// `<var>/run`: holds `sv/`, `runsvdir.pid`, `runsvdir.log` and `<service>.exits`.
    public let runDirectory: String
    /// Holds `<service>.log`, a link to `<service>/current`.
    public let logDirectory: String
    let tree: ServiceTree

    /// - Parameters:
    ///   - runDirectory: a relative path counts from the current directory, as do the others.
    ///   - scriptDirectory: the project's `deploy/runit`, with `run`, `finish` and `log-run`.
    public init(runDirectory: String, logDirectory: String, scriptDirectory: String) {
        self.runDirectory = Self.canonical(runDirectory)
        self.logDirectory = Self.canonical(logDirectory)
        tree = ServiceTree(
            services: self.runDirectory + "/sv", logs: self.logDirectory, scripts: Self.canonical(scriptDirectory))
    }

    // MARK: - The tree

    /// Writes the services' directories; a second call with the same services changes nothing. A service that is
    /// supervised but no longer listed is stopped and its directory removed. Starts nothing.
    public func prepare(services: [SupervisedService]) throws(SupervisionError) {
        var seen: Set<String> = []
        for service in services {
            try service.validate()
            guard seen.insert(service.name).inserted else {
                throw SupervisionError(.invalidService, "the service \(service.name) is listed twice")
            }
        }
        try tree.write(services)
        for name in tree.names() where !seen.contains(name) {
            _ = try down(name, timeoutSeconds: 5)
            _ = try send("x", to: name)
            _ = Deadline.wait(seconds: 5) { !isSupervised(name) }
            try tree.remove(name)
        }
    }

    /// Names of the services that have a directory, sorted.
    public var serviceNames: [String] { tree.names() }

    // MARK: - One service

    /// Lets the service run from now on. Returns once the supervisor has taken the order; whether the service is ready
    /// is the caller's question. A pause after quick deaths is cut short and its count begins anew.
    public func up(_ name: String) throws(SupervisionError) {
        try Files.remove(path(name, "down"))
        try Files.remove(path(name, "quick"))
        guard try send("u", to: name) else { throw notSupervised(name) }
        let taken = Deadline.wait(seconds: 5) {
            guard let record = record(name), record.wantsUp else { return false }
            cutPause(record)
            return record.state != .finish
        }
        guard taken else {
            throw SupervisionError(.timedOut, "\(name): the supervisor did not start it within 5 s")
        }
    }

    /// Sends TERM and keeps the service down; KILL after the timeout. Returns when the process is gone.
    /// - Parameter timeoutSeconds: how long the service may take to drain.
    public func down(_ name: String, timeoutSeconds: Double) throws(SupervisionError) -> StopOutcome {
        guard Files.exists(path(name, "")) else { throw notSupervised(name) }
        // Also the finish script's sign that this end is wanted and no restart.
        try Files.append([], to: path(name, "down"), mode: 0o600)
        guard let before = record(name), isSupervised(name) else { return .alreadyDown }
        if before.state == .down && !before.wantsUp { return .alreadyDown }
        guard try send("d", to: name) else { return .alreadyDown }
        if Deadline.wait(seconds: timeoutSeconds, until: { isDown(name) }) {
            guard before.state == .run else { return .alreadyDown }
            return .terminated(history(name).exits.last(where: { $0.pid == before.pid }))
        }
        _ = try send("k", to: name)
        guard Deadline.wait(seconds: 3, until: { isDown(name) }) else {
            throw SupervisionError(.timedOut, "\(name) is still there 3 s after KILL")
        }
        return .killed(afterSeconds: timeoutSeconds)
    }

    public func status(_ name: String) -> ServiceStatus {
        guard isSupervised(name), let record = record(name) else { return .absent }
        guard record.state == .run, let pid = record.pid else {
            return ServiceStatus(state: record.state, wantsUp: record.wantsUp)
        }
        return ServiceStatus(
            state: .run, pid: pid, uptimeSeconds: ProcessTable.uptimeSeconds(pid), wantsUp: record.wantsUp)
    }

    /// The service's ends and restarts; empty where it never ended. Needs only the files, not the daemon.
    public func history(_ name: String) -> ServiceHistory {
        ServiceHistory(text: Files.text(exitsPath(name)) ?? "")
    }

    // MARK: - Parts

    /// Whether a runsv takes orders for this service.
    func isSupervised(_ name: String) -> Bool { Fifo.isRead(path(name, "supervise/ok")) }

    func record(_ name: String) -> SuperviseRecord? {
        Files.bytes(path(name, "supervise/status")).flatMap(SuperviseRecord.init)
    }

    func send(_ order: Character, to name: String) throws(SupervisionError) -> Bool {
        try Fifo.send(order, to: path(name, "supervise/control"))
    }

    /// Ends the sleep a finish script turned into; leaves a script that is still writing alone.
    func cutPause(_ record: SuperviseRecord) {
        guard record.state == .finish, let pid = record.pid, ProcessTable.programName(pid) == "sleep" else { return }
        kill(pid, SIGTERM)
    }

    func path(_ name: String, _ file: String) -> String { "\(tree.services)/\(name)/\(file)" }

    func exitsPath(_ name: String) -> String { "\(runDirectory)/\(name).exits" }

    private func isDown(_ name: String) -> Bool {
        guard let record = record(name) else { return !isSupervised(name) }
        cutPause(record)
        return record.state == .down && !record.wantsUp || !isSupervised(name)
    }

    private func notSupervised(_ name: String) -> SupervisionError {
        SupervisionError(.notSupervised, "\(name) is not supervised in \(runDirectory): is the mesh started?")
    }

    /// Absolute and free of symbolic links, because /proc shows paths so. What doesn't exist yet is left as it is.
    private static func canonical(_ path: String) -> String {
        let absolute = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        var existing = (absolute as NSString).standardizingPath
        var missing: [String] = []
        while existing.count > 1, !Files.exists(existing) {
            missing.append((existing as NSString).lastPathComponent)
            existing = (existing as NSString).deletingLastPathComponent
        }
        if let resolved = realpath(existing, nil) {
            existing = String(cString: resolved)
            free(resolved)
        }
        return ([existing == "/" ? "" : existing] + missing.reversed()).joined(separator: "/")
    }
}
