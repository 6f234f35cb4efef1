import Foundation
import Glibc

/// Colours with a meaning; none where the output is no terminal or `NO_COLOR` is set. Source: no-color.org, ECMA-48.
enum Style {
    case plain, good, warning, bad, dim, bold

    private var code: String? {
        switch self {
        case .plain: nil
        case .good: "32"
        case .warning: "33"
        case .bad: "31"
        case .dim: "2"
        case .bold: "1"
        }
    }

    func applied(to text: String, coloured: Bool = Style.isWanted) -> String {
        guard coloured, let code, !text.isEmpty else { return text }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }

    static let isWanted = isWanted(
        environment: ProcessInfo.processInfo.environment, isTerminal: isatty(STDOUT_FILENO) == 1)

    static func isWanted(environment: [String: String], isTerminal: Bool) -> Bool {
        isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }

    /// The colour of a state's word, wherever one is shown.
    static func of(state: String) -> Style {
        switch state {
        case "pass", "running", "ready", "active", "live", "filled", "sent", "open", "up", "good", "yes", "run": .good
        case "warn", "degraded", "starting", "stale", "quiet", "late", "queued", "reserved", "sending", "REDUCING",
            "warning", "replaced", "finish", "acknowledged":
            .warning
        case "fail", "down", "dead", "timeout", "denied", "rejected", "unknown", "HALTED", "critical", "error", "no",
            "suspended", "absent":
            .bad
        case "closed", "disconnected", "expired", "never_executed", "resolved", "-": .dim
        default: .plain
        }
    }
}
