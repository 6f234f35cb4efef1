import Domain
import Wire

/// JSON as a person reads it.
enum Fields {
    /// One line a field, names aligned, objects indented below their name. Fields without a value are left out.
    static func lines(_ object: JSONObject, without hidden: Set<String> = [], indent: Int = 0) -> [String] {
        let shown = object.fields.filter { !hidden.contains($0.name) && $0.value != .null }
        let width = shown.map { $0.name.count }.max() ?? 0
        var lines: [String] = []
        for field in shown {
            let name = TerminalText.sanitised(field.name)
            let head = String(repeating: " ", count: indent) + name
            if let inner = field.value.object, !inner.isEmpty {
                lines.append(head)
                lines += Fields.lines(inner, indent: indent + 2)
            } else {
                lines.append(head + String(repeating: " ", count: max(0, width - name.count) + 2) + text(field.value))
            }
        }
        return lines
    }

    /// A value on one line; `-` where there is none.
    static func text(_ value: JSON?) -> String {
        switch value {
        case nil, .null?: "-"
        case .bool(let flag)?: flag ? "yes" : "no"
        case .string(let text)?, .number(let text)?: text.isEmpty ? "-" : TerminalText.sanitised(text)
        case .array(let items)?: items.isEmpty ? "-" : items.map { text($0) }.joined(separator: ", ")
        case .object(let object)?: object.isEmpty ? "-" : TerminalText.sanitised(object.compactText)
        }
    }

    /// `3 s`, `4 min`, `5 h`, `6 d`: the largest unit that is full.
    static func duration(milliseconds: Int64) -> String {
        let seconds = max(0, milliseconds) / 1000
        switch seconds {
        case ..<100: return "\(seconds) s"
        case ..<6000: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3600) h"
        default: return "\(seconds / 86_400) d"
        }
    }

    /// How long ago a time in RFC 3339 was; `-` where there is none.
    static func age(_ time: JSON?, now: Timestamp) -> String {
        guard let moment = time?.text.flatMap({ Timestamp(rfc3339: $0) }) else { return "-" }
        return duration(milliseconds: now - moment)
    }

    /// `2025-09-15 16:39:23` in UTC; `-` where there is none. Takes RFC 3339 and epoch milliseconds.
    static func time(_ value: JSON?) -> String {
        guard let text = value?.text else { return "-" }
        let moment = Timestamp(rfc3339: text) ?? Int64(text).map { Timestamp(milliseconds: $0) }
        guard let moment else { return TerminalText.sanitised(text) }
        let shown = moment.description
        return "\(shown.prefix(10)) \(shown.dropFirst(11).prefix(8))"
    }
}
