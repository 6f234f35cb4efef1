import Foundation
import Glibc

/// The daemon `runsvdir` and the whole of the services.
extension Supervisor {
    /// Whether the supervisor of this run directory is alive.
    public var isRunning: Bool { daemonPid != nil }

    /// The process id of `runsvdir`, from `runsvdir.pid` or else from the process table.
    public var daemonPid: Int32? {
        if let pid = Files.text(pidPath).flatMap({ Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }),
            isDaemon(pid)
        {
            return pid
        }
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.lazy.compactMap { Int32($0) }.first { isDaemon($0) }
    }

    /// Starts `runsvdir` in a session of its own, holding none of the caller's descriptors, and waits until every
    /// prepared service takes orders. No service runs yet. On failure nothing is left running.
    /// - Returns: false when it was running already.
    @discardableResult
    public func startDaemon() throws(SupervisionError) -> Bool {
        if isRunning { return false }
        // A runsv left by a killed runsvdir would hold its directory's lock against the new one.
        try stopDaemon()
        let program = try Files.program("runsvdir", package: "runit")
        let now = Int(Date().timeIntervalSince1970)
        for name in serviceNames {
            let mark = "\(now) 0 0 0 0 \(ExitLine.startedWord) 0 0\n"
            try Files.append(Array(mark.utf8), to: exitsPath(name), mode: 0o644)
            // After a power cut the marker is away of what ran then; nothing is to start by itself.
            try Files.append([], to: path(name, "down"), mode: 0o600)
        }
        let log = "\(runDirectory)/runsvdir.log"
        try Files.append([], to: log, flags: O_TRUNC, mode: 0o644)
        let pid = try DetachedProcess.spawn(
            [program, "-P", tree.services], environment: Self.daemonEnvironment(), directory: runDirectory, output: log)
        do throws(SupervisionError) {
            try Files.write("\(pid)\n", to: pidPath, mode: 0o644)
            let names = serviceNames
            let listening = Deadline.wait(seconds: 5) {
                !ProcessTable.isAlive(pid)
                    || names.allSatisfy { isSupervised($0) && Fifo.isRead(path($0, "log/supervise/ok")) }
            }
            guard listening, ProcessTable.isAlive(pid) else {
                let last = Files.text(log)?.split(separator: "\n").last.map { ": \($0)" } ?? ""
                throw SupervisionError(.daemonFailed, "runsvdir did not take up all services within 5 s\(last)")
            }
        } catch {
            try? stopDaemon()
            throw error
        }
        return true
    }

    /// Stops the named services one after the other, then every other one. A failure doesn't keep the rest running.
    /// - Parameters:
    ///   - order: the first is stopped first.
    ///   - withinSeconds: for all together; each gets what is left less half a second for each one behind it.
    /// - Returns: what became of each, in the order of the stops.
    public func stopAll(order: [String], withinSeconds: Double) -> [(
        name: String, outcome: Result<StopOutcome, SupervisionError>
    )] {
        let end = ContinuousClock.now + .seconds(withinSeconds)
        let known = serviceNames
        let names = order.filter(known.contains) + known.filter { !order.contains($0) }
        return names.enumerated().map { index, name in
            let left = (end - ContinuousClock.now) / .seconds(1)
            let timeout = max(0.25, left - 0.5 * Double(names.count - index - 1))
            do throws(SupervisionError) {
                return (name, .success(try down(name, timeoutSeconds: timeout)))
            } catch {
                return (name, .failure(error))
            }
        }
    }

    /// Ends `runsvdir`, every runsv and every log writer, and with them whatever service still runs (TERM, then KILL).
    /// Does nothing where nothing runs.
    public func stopDaemon(timeoutSeconds: Double = 5) throws(SupervisionError) {
        for name in serviceNames where isSupervised(name) {
            try Files.append([], to: path(name, "down"), mode: 0o600)
        }
        if let pid = daemonPid {
            // runsvdir(8): HUP hands TERM to each runsv it watches and ends it.
            guard kill(pid, SIGHUP) == 0 || errno == ESRCH else {
                throw .file("signal the supervisor, process", "\(pid)", errno: errno)
            }
            if !Deadline.wait(seconds: timeoutSeconds, until: { isGone(pid) }) {
                kill(pid, SIGKILL)
                _ = Deadline.wait(seconds: 1) { isGone(pid) }
            }
        }
        // Those a killed runsvdir left behind; the others have got the same by now.
        for name in serviceNames { _ = try send("x", to: name) }
        if !Deadline.wait(seconds: timeoutSeconds, until: { isDeserted() }) {
            for name in serviceNames { _ = try send("k", to: name) }
            // A log writer lives while anybody holds the pipe, be it a lost grandchild of the service.
            for pid in leftovers where ProcessTable.programName(pid) == "svlogd" { kill(pid, SIGTERM) }
            if !Deadline.wait(seconds: 2, until: { isDeserted() }) {
                for pid in leftovers { kill(pid, SIGKILL) }
            }
        }
        guard Deadline.wait(seconds: 1, until: { leftovers.isEmpty }) else {
            let pids = leftovers.map(String.init).joined(separator: " ")
            throw SupervisionError(.leftovers, "processes of the supervisor are still there: \(pids)")
        }
        try Files.remove(pidPath)
    }

    /// Runs `body` while no other process starts or stops this mesh; `busy` at once when one does.
    public func withLock<T>(_ body: () throws -> T) throws -> T {
        try Files.makeDirectory(runDirectory, mode: 0o755)
        let lock = "\(runDirectory)/supervision.lock"
        let descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SupervisionError.file("open", lock, errno: errno) }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw SupervisionError(.busy, "another start or stop of the mesh in \(runDirectory) is under way")
        }
        return try body()
    }

    // MARK: - Parts

    private var pidPath: String { "\(runDirectory)/runsvdir.pid" }

    private var leftovers: [Int32] { ProcessTable.processes(workingBelow: tree.services) }

    private func isDeserted() -> Bool {
        for name in serviceNames { record(name).map(cutPause) }
        return leftovers.isEmpty
    }

    private func isDaemon(_ pid: Int32) -> Bool {
        let words = ProcessTable.commandLine(pid)
        guard let program = words.first, words.last == tree.services else { return false }
        return (program as NSString).lastPathComponent == "runsvdir" && ProcessTable.isAlive(pid)
    }

    /// Where this very process started the daemon, it also has to collect it.
    private func isGone(_ pid: Int32) -> Bool {
        waitpid(pid, nil, WNOHANG)
        return !ProcessTable.isAlive(pid)
    }

    private static func daemonEnvironment() -> [String: String] {
        let own = ProcessInfo.processInfo.environment
        var result = own.filter { inheritedVariables.contains($0.key) }
        // runsvdir looks for runsv, and the scripts for date, tail and sleep.
        result["PATH"] = [own["PATH"], "/usr/bin:/usr/sbin:/bin:/sbin"].compactMap { $0 }.joined(separator: ":")
        return result
    }
}
