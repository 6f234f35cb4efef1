/// One line of `doctor`: what was looked at, how it is, and what to do about it.
struct Finding {
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

    var word: String {
        switch verdict {
        case .good: "good"
        case .warning: "warning"
        case .critical: "critical"
        case .unknown: "unknown"
        }
    }
}
