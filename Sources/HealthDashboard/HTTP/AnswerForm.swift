import Wire

/// How an answer is written: JSON, or with `?format=text` a table for people at a terminal.
struct AnswerForm: Sendable, Equatable {
    private let isText: Bool

    init(_ parameters: [String: String]) throws(HTTPProblem) {
        switch parameters["format"]?.lowercased() {
        case nil, "", "json": isText = false
        case "text": isText = true
        default: throw .badRequest("'format' is one of: json text")
        }
    }

    func dressed(_ answer: Answer) -> Answer {
        guard isText, answer.contentType.hasPrefix("application/json"), let value = try? JSON(answer.body) else {
            return answer
        }
        var answer = answer
        answer.contentType = "text/plain; charset=utf-8"
        answer.body = Array(TextTable.text(value).utf8)
        return answer
    }
}

/// JSON as text in columns: a list as a table of its plain fields, an object as one field a line.
enum TextTable {
    private static let widest = 40
    /// Of rows with many fields those that a person looks for; JSON has all. By the field that identifies an item.
    private static let chosen: [String: [String]] = [
        "node_id": [
            "node_id", "user_uuid", "account", "server", "status", "liveness", "equity", "currency", "version",
            "last_seen",
        ],
        "ticket": [
            "ticket", "user_uuid", "account", "symbol", "direction", "lot", "open_price", "state", "current_pnl",
            "profit", "currency", "opened_at",
        ],
        "fire_id": [
            "fire_id", "state", "reason", "user_uuid", "symbol", "direction", "lot", "ticket", "created_at", "overdue",
        ],
        "alert_id": ["alert_id", "severity", "state", "type", "scope_name", "message", "starts_at", "acknowledged_by"],
        "stream": [
            "at", "action", "event", "user_uuid", "scope", "state", "by", "reason", "symbol", "ticket", "alert_id",
        ],
    ]

    static func text(_ value: JSON) -> String {
        guard let object = value.object else { return value.compactText + "\n" }
        guard let items = object["items"]?.array, let total = object["total"]?.text else {
            return lines(object, "").joined(separator: "\n") + "\n"
        }
        let offset = object["offset"]?.text ?? "0"
        let (rows, hidden) = table(items)
        let rest = hidden == 0 ? "" : "; \(hidden) more fields of each are in the JSON: leave out format=text"
        return rows + "\(items.count) of \(total), from \(offset), at \(object["now"]?.text ?? "?")\(rest)\n"
    }

    /// Columns that are empty everywhere are left out; so are lists and objects, which have no place in a cell.
    ///
    /// - Returns: the table, and how many fields that have something in some row are not in it.
    private static func table(_ items: [JSON]) -> (text: String, hidden: Int) {
        let rows = items.compactMap(\.object)
        // Entries of streams have different fields: a column for each that any has.
        var all: [String] = []
        for name in rows.flatMap({ $0.fields.map(\.name) }) where !all.contains(name) { all.append(name) }
        let kind = ["alert_id", "fire_id", "ticket", "node_id", "stream"].first { name in
            name == "stream" ? all.contains(name) : all.contains(name) && isAbout(name, all)
        }
        let names = (kind.flatMap { chosen[$0] } ?? all).filter { name in
            rows.contains { cell($0[name]) != nil }
        }
        let told = all.filter { name in rows.contains { isSaid($0[name]) } }
        let hidden = told.count { !names.contains($0) }
        guard !names.isEmpty else { return ("", hidden) }
        let cells = [names.map { $0.uppercased() }] + rows.map { row in names.map { cell(row[$0]) ?? "-" } }
        let widths = names.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        let isNumber = names.map { name in
            rows.allSatisfy { row in
                switch row[name] {
                case .number, .null, nil: true
                default: false
                }
            }
        }
        let text = cells.map { row in
            let padded = row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return isNumber[column] ? space + row[column] : row[column] + space
            }
            return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()) + "\n"
        }.joined()
        return (text, hidden)
    }

    /// Whether there is anything in a field, in a form that fits a cell or not.
    private static func isSaid(_ value: JSON?) -> Bool {
        switch value {
        case .array(let items): !items.isEmpty
        case .object(let object): !object.fields.isEmpty
        case .null, nil: false
        case .string(let text), .number(let text): !text.isEmpty
        case .bool: true
        }
    }

    /// A position, a fire and an alert name their terminal too: the first that says what a row is decides.
    private static func isAbout(_ name: String, _ all: [String]) -> Bool {
        switch name {
        case "alert_id": all.contains("severity")
        case "fire_id": all.contains("sending_at")
        case "ticket": all.contains("open_price")
        default: all.contains("liveness")
        }
    }

    private static func cell(_ value: JSON?) -> String? {
        switch value {
        case .bool(let flag): return flag ? "yes" : "no"
        case .string(let text), .number(let text):
            guard !text.isEmpty else { return nil }
            let plain = printable(text)
            return plain.count > widest ? plain.prefix(widest - 1) + "…" : plain
        case .null, .array, .object, nil: return nil
        }
    }

    private static func lines(_ object: JSONObject, _ prefix: String) -> [String] {
        object.fields.flatMap { field -> [String] in
            let name = prefix + field.name
            switch field.value {
            case .object(let inner): return lines(inner, name + ".")
            case .array(let items):
                if items.isEmpty { return ["\(name): none"] }
                return items.enumerated().flatMap { index, item in
                    item.object.map { lines($0, "\(name)[\(index)].") } ?? ["\(name)[\(index)]: \(plain(item))"]
                }
            default: return ["\(name): \(plain(field.value))"]
            }
        }
    }

    private static func plain(_ value: JSON) -> String {
        if let flag = value.bool { return flag ? "yes" : "no" }
        return value.text.map(printable) ?? (value == .null ? "-" : value.compactText)
    }

    /// What comes from outside must not move a terminal's cursor.
    static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.isPrintable ? $0 : "\u{FFFD}" }))
    }
}

extension Unicode.Scalar.Properties {
    /// Neither a control character nor an invisible one that changes how others are shown.
    var isPrintable: Bool {
        switch generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
        default: true
        }
    }
}
