public import Foundation

/// One end of a service, as its finish script noted it in `<var>/run/<service>.exits`.
///
/// A line: `EPOCH_SECONDS EXIT_CODE SIGNAL PID LIVED_SECONDS KIND RESTARTS PAUSE_SECONDS`.
public struct ServiceExit: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// It was asked to stop. No restart is counted.
        case stopped
        /// It ended without being asked.
        case died
        /// The third or later death in a row within 10 s of its start; the supervisor pauses before the next start.
        case alarm
    }

    public let date: Date
    /// -1 when a signal ended it; 111 when it couldn't be started.
    public let exitCode: Int32
    /// 0 when it exited by itself.
    public let signal: Int32
    /// nil when it died before its pid was noted.
    public let pid: Int32?
    /// Whole seconds.
    public let livedSeconds: Int
    public let kind: Kind
    /// Unexpected ends since the supervisor was started, this one included.
    public let restarts: Int
    public let pauseSeconds: Int
}

/// A parsed line: an end, or the mark that a newly started supervisor leaves.
enum ExitLine: Equatable {
    case exit(ServiceExit)
    case supervisorStarted

    static let startedWord = "started"

    init?(_ line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 8, let seconds = Int(words[0]), let code = Int32(words[1]), let signal = Int32(words[2]),
            let pid = Int32(words[3]), let lived = Int(words[4]), let restarts = Int(words[6]),
            let pause = Int(words[7])
        else { return nil }
        if words[5] == Self.startedWord {
            self = .supervisorStarted
            return
        }
        guard let kind = ServiceExit.Kind(rawValue: String(words[5])) else { return nil }
        self = .exit(
            ServiceExit(
                date: Date(timeIntervalSince1970: Double(seconds)), exitCode: code, signal: signal,
                pid: pid == 0 ? nil : pid, livedSeconds: lived, kind: kind, restarts: restarts, pauseSeconds: pause))
    }
}

/// The record of one service's ends.
public struct ServiceHistory: Sendable, Equatable {
    /// Oldest first; at most the last 200. Reaches back beyond the supervisor's start.
    public let exits: [ServiceExit]
    /// Unexpected ends since the supervisor was started.
    public let restarts: Int
    /// The newest end is an alarm: the service keeps dying and the supervisor pauses between starts.
    public let isAlarmed: Bool

    /// Lines that can't be read are passed over: a torn last line must not hide the others.
    init(text: String) {
        let lines = text.split(separator: "\n").compactMap { ExitLine($0) }
        exits = lines.compactMap { if case .exit(let exit) = $0 { exit } else { nil } }
        if case .exit(let last)? = lines.last {
            restarts = last.restarts
            isAlarmed = last.kind == .alarm
        } else {
            restarts = 0
            isAlarmed = false
        }
    }
}
