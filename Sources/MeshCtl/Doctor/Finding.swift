/// One line of `doctor`: what was looked at, how it is, and what to do about it.
struct Finding: Sendable, Equatable {
    let verdict: Verdict
    let subject: String
    let text: String
    var remedy = ""

    static func good(_ subject: String, _ text: String) -> Finding {
        Finding(verdict: .good, subject: subject, text: text)
    }

    static func warning(_ subject: String, _ text: String, _ remedy: String) -> Finding {
        Finding(verdict: .warning, subject: subject, text: text, remedy: remedy)
    }

    static func critical(_ subject: String, _ text: String, _ remedy: String) -> Finding {
        Finding(verdict: .critical, subject: subject, text: text, remedy: remedy)
    }

    static func unknown(_ subject: String, _ text: String, _ remedy: String) -> Finding {
        Finding(verdict: .unknown, subject: subject, text: text, remedy: remedy)
    }

    var word: String {
        switch verdict {
        case .good: "good"
        case .warning: "warning"
        case .critical: "critical"
        case .unknown: "unknown"
        }
    }

    /// What is known to be broken counts more than what is not known.
    static func verdict(of findings: [Finding]) -> Verdict {
        let verdicts = findings.map(\.verdict)
        if verdicts.isEmpty || verdicts.contains(.unknown) && !verdicts.contains(.critical) { return .unknown }
        return verdicts.filter { $0 != .unknown }.max() ?? .unknown
    }
}
