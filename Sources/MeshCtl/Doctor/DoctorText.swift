import Wire

/// Findings as a person and as a program read them.
enum DoctorText {
    private static let words = 10
    private static let subjects = 22

    /// `warning   disk                  4.1 GB …`, and below it what to do; in lines that fit.
    static func lines(
        _ finding: Finding, width: Int = Screen.width, coloured: Bool = Style.isWanted
    ) -> [String] {
        let indent = words + subjects
        let room = max(30, width - indent)
        let subject = TerminalText.sanitised(finding.subject)
        let padding = String(repeating: " ", count: max(1, subjects - subject.count))
        var texts = Screen.wrapped(TerminalText.sanitised(finding.text), width: room)
        if !finding.remedy.isEmpty {
            let remedy = Screen.wrapped(TerminalText.sanitised(finding.remedy), width: max(26, room - 4))
            texts += remedy.enumerated().map { ($0 == 0 ? "do: " : "    ") + $1 }
        }
        let word = finding.verdict.style.applied(to: finding.word, coloured: coloured)
        let head = word + String(repeating: " ", count: words - finding.word.count) + subject
        // A path that is longer than its column is never broken, so that it can be copied: it begins further left.
        if let first = texts.first, first.count > width - indent { texts.insert("", at: 0) }
        return texts.enumerated().map { place, text in
            guard place > 0 else { return text.isEmpty ? head : head + padding + text }
            return String(repeating: " ", count: max(0, min(indent, width - text.count))) + text
        }
    }

    static func json(_ findings: [Finding]) -> JSON {
        .array(
            findings.map { finding in
                .object([
                    "status": .string(finding.word), "subject": .string(finding.subject),
                    "message": .string(finding.text),
                    "remedy": finding.remedy.isEmpty ? .null : .string(finding.remedy),
                ])
            })
    }

    /// The last line: how many of which.
    static func sum(_ findings: [Finding]) -> String {
        func count(_ verdict: Verdict) -> Int { findings.count { $0.verdict == verdict } }
        let parts = [(Verdict.critical, "critical"), (.unknown, "not known"), (.warning, "to look at")]
            .filter { count($0.0) > 0 }.map { "\(count($0.0)) \($0.1)" }
        return parts.isEmpty
            ? "all \(findings.count) are good" : "\(count(.good)) good, " + parts.joined(separator: ", ")
    }
}
