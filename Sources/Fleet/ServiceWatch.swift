public import Domain

/// What is known of one service from its own report and its supervisor's record.
public struct ServiceSighting: Sendable, Equatable {
    public var name: String
    /// When its report was written; nil where there is none.
    public var updatedAt: Timestamp?
    public var startedAt: Timestamp?
    public var state: String?
    /// The supervisor's newest line, where there is one.
    public var lastExit: ServiceExitLine?

    public init(name: String) { self.name = name }
}

/// One line of `<var>/run/<service>.exits`: `EPOCH EXIT_CODE SIGNAL PID LIVED_SECONDS KIND RESTARTS PAUSE_SECONDS`.
public struct ServiceExitLine: Sendable, Equatable {
    public let at: Timestamp
    public let exitCode: Int
    public let signal: Int
    /// The third death in a row soon after a start; the supervisor pauses.
    public let isAlarm: Bool
    public let restarts: Int
    public let pauseSeconds: Int64

    public init?(_ line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count >= 3, let seconds = Int64(words[0]), let code = Int(words[1]), let signal = Int(words[2])
        else {
            return nil
        }
        at = Timestamp(seconds: seconds)
        exitCode = code
        self.signal = signal
        isAlarm = words.dropFirst(3).contains("alarm")
        restarts = words.count > 6 ? Int(words[6]) ?? 0 : 0
        pauseSeconds = words.count > 7 ? Int64(words[7]) ?? 0 : 0
    }

    /// The newest whole line of a record.
    public static func last(of text: some StringProtocol) -> ServiceExitLine? {
        text.split(separator: "\n").last.flatMap { ServiceExitLine($0) }
    }
}

/// Judges services by the age of their reports and by their supervisor's alarms.
public struct ServiceWatch: Sendable {
    public static let silence: Int64 = 5_000
    /// Services that were never seen may still be starting.
    public static let startGrace: Int64 = 15_000
    /// A service that was alarmed for dying at its start is well when it has lived this long.
    public static let recovery: Int64 = 60_000

    private var seen: Set<String> = []
    private let startedAt: Timestamp
    /// The newest report of each service and when it came, by a clock that never steps.
    private var reports: [String: (written: Timestamp, at: Int64)] = [:]
    private var starts: [String: Timestamp] = [:]
    private var previous: Int64?

    public init(startedAt: Timestamp) { self.startedAt = startedAt }

    public struct Judgement: Sendable, Equatable {
        public var silent: [String] = []
        public var degraded: [String] = []
        public var raise: [Condition] = []
        public var resolve: [(key: String, message: String)] = []
        /// Services that run as another process than at the last look, and how the former ended where that is known.
        public var restarted: [(service: String, why: String)] = []

        public static func == (left: Judgement, right: Judgement) -> Bool {
            left.silent == right.silent && left.degraded == right.degraded && left.raise == right.raise
                && left.resolve.map(\.key) == right.resolve.map(\.key)
        }
    }

    /// - Parameters:
    ///   - readableSince: since when reports can be read and written again, after Redis was away: those that could not be
    ///     written meanwhile are nobody's silence.
    ///   - steady: milliseconds of a clock that never steps; nil takes `now` for one.
    public mutating func judge(
        _ sightings: [ServiceSighting], readableSince: Timestamp? = nil, at now: Timestamp, steady given: Int64? = nil
    ) -> Judgement {
        var result = Judgement()
        let steady = given ?? now.milliseconds
        let isReadable = readableSince.map { now - $0 > ServiceWatch.silence } ?? true
        defer { previous = steady }
        for service in sightings {
            note(service, now, steady, &result)
            let isReporting = isReporting(service.name, service.state, steady)
            guard isReporting || isReadable else { continue }
            if isReporting {
                seen.insert(service.name)
                if service.state != "ready" { result.degraded.append(service.name) }
                result.resolve.append((ServiceWatch.downKey(service.name), "\(service.name) reports again"))
            } else if seen.contains(service.name) || now - startedAt > ServiceWatch.startGrace {
                result.silent.append(service.name)
                result.raise.append(down(service, now))
            }
            guard let exit = service.lastExit else { continue }
            let endOfPause = exit.at.adding(milliseconds: exit.pauseSeconds * 1000)
            if exit.isAlarm, !(isReporting && now - endOfPause > ServiceWatch.recovery) {
                result.raise.append(flapping(service, exit))
            } else {
                result.resolve.append((ServiceWatch.flappingKey(service.name), "\(service.name) keeps running"))
            }
        }
        return result
    }

    /// A report that changed came since the last look, whatever the clock it was stamped by says.
    private mutating func note(
        _ service: ServiceSighting, _ now: Timestamp, _ steady: Int64, _ result: inout Judgement
    ) {
        if let updated = service.updatedAt, reports[service.name]?.written != updated {
            let age = max(0, now - updated)
            let since = reports[service.name] == nil ? age : previous.map { min(age, max(0, steady - $0)) } ?? age
            reports[service.name] = (updated, steady - since)
        }
        guard let started = service.startedAt, starts[service.name] != started else { return }
        if starts[service.name] != nil {
            result.restarted.append((service.name, ServiceWatch.ending(service, now)))
        }
        starts[service.name] = started
    }

    /// How the former process ended, in words.
    private static func ending(_ service: ServiceSighting, _ now: Timestamp) -> String {
        guard let exit = service.lastExit, abs(now - exit.at) < 120_000 else { return "was started anew" }
        if exit.signal > 0 { return "was started anew after signal \(exit.signal)" }
        return exit.exitCode == 0 ? "was started anew" : "was started anew after exit code \(exit.exitCode)"
    }

    /// Whether a service has reported within the last five seconds.
    public func isReporting(_ name: String, _ state: String?, _ steady: Int64) -> Bool {
        guard let report = reports[name], state != "stopped" else { return false }
        return steady - report.at <= ServiceWatch.silence
    }

    static func downKey(_ name: String) -> String { "service_down:\(name)" }
    public static func flappingKey(_ name: String) -> String { "service_dying:\(name)" }

    private func down(_ service: ServiceSighting, _ now: Timestamp) -> Condition {
        let age = service.updatedAt.map { "for \((now - $0) / 1000) s" } ?? "at all"
        let wasStopped = service.state == "stopped"
        return Condition(
            key: ServiceWatch.downKey(service.name), type: "service_down", severity: .critical,
            message: wasStopped ? "\(service.name) was stopped" : "\(service.name) has not reported \(age)",
            fields: ["service": service.name], story: AlertStory(.service, service.name))
    }

    private func flapping(_ service: ServiceSighting, _ exit: ServiceExitLine) -> Condition {
        let end = exit.signal > 0 ? "signal \(exit.signal)" : "exit code \(exit.exitCode)"
        return Condition(
            key: ServiceWatch.flappingKey(service.name), type: "service_flapping", severity: .critical,
            message: "\(service.name) keeps dying soon after its start (\(end)); the next start waits"
                + " \(exit.pauseSeconds) s",
            fields: ["service": service.name], story: AlertStory(.service, service.name, cause: end))
    }
}
