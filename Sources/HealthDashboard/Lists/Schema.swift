import Domain
import Wire

/// How a field of a Redis hash is written in JSON.
enum FieldKind: Sendable {
    case text
    /// Decimal text, written as a JSON number digit for digit.
    case decimal
    case integer
    /// Epoch milliseconds, written as RFC 3339.
    case time
    /// `1` or `true`.
    case flag
    /// A list separated by commas.
    case words
    /// JSON text that is put in as it is.
    case json
}

/// One field: its name in JSON, its name in Redis, its kind.
struct Field: Sendable {
    let name: String
    let key: String
    let kind: FieldKind

    init(_ name: String, _ kind: FieldKind = .text, key: String? = nil) {
        self.name = name
        self.key = key ?? name
        self.kind = kind
    }
}

/// What a family of hashes looks like to those who ask over HTTP: which fields, what a filter and a search look at.
struct Schema: Sendable {
    /// One query parameter that filters, and the fields it is compared with.
    struct Filter: Sendable {
        let parameter: String
        let fields: [Int]
        /// The words there are; nil where any text may be meant.
        let words: [String]?
    }

    /// One query parameter that is yes or no, and how a record answers it at a moment.
    struct Flag: Sendable {
        let parameter: String
        let isSet: @Sendable (Record, Timestamp) -> Bool
    }

    let fields: [Field]
    /// The JSON name of what identifies an item, where no field of the hash says it.
    let identifier: String
    let filters: [Filter]
    let flags: [Flag]
    /// What `q` searches in.
    let searched: [Int]
    /// The order of a list nobody asked to be sorted.
    let order: ListQuery.Order
    private let positions: [String: Int]

    /// - Parameter words: for each filter whose values are known beforehand, what they are.
    init(
        identifier: String, fields: [Field], filters: [(String, [String])], words: [String: [String]] = [:],
        flags: [Flag] = [], searched: [String], order: String, descending: Bool = false
    ) {
        let positions = Dictionary(fields.enumerated().map { ($1.name, $0) }) { first, _ in first }
        self.fields = fields
        self.identifier = identifier
        self.positions = positions
        self.filters = filters.map { name, fields in
            Filter(parameter: name, fields: fields.compactMap { positions[$0] }, words: words[name])
        }
        self.flags = flags
        self.searched = searched.compactMap { positions[$0] }
        self.order = ListQuery.Order(field: positions[order], isDescending: descending)
    }

    func position(_ name: String) -> Int? { positions[name] }

    /// What a record's hash has under a field's name; nil where nothing is there.
    func value(_ name: String, of record: Record) -> String? { positions[name].flatMap { record.values[$0] } }

    /// The Redis names of the fields, in the order of a record's values.
    var keys: [String] { fields.map(\.key) }

    /// An item: every field is there, null where nothing is known.
    func json(_ record: Record) -> JSONObject {
        var object = JSONObject()
        if positions[identifier] == nil { object.append(identifier, .string(record.identifier)) }
        for (index, field) in fields.enumerated() {
            object.append(field.name, Schema.json(record.values[index], field.kind))
        }
        return object
    }

    static func json(_ value: String?, _ kind: FieldKind) -> JSON {
        guard let value, !value.isEmpty else { return kind == .words ? .array([]) : .null }
        switch kind {
        case .text: return .string(value)
        case .decimal:
            if JSON.isNumber(value) { return .number(value) }
            return Amount(value).map { .number("\($0)") } ?? .null
        case .integer: return Int64(value).map { .integer($0) } ?? .null
        case .time: return time(value)
        case .flag: return .bool(value == "1" || value == "true")
        case .words:
            return .array(value.split(separator: ",").map { .string($0.trimmingSpaces()) })
        case .json: return (try? JSON(value)) ?? .string(value)
        }
    }

    private static func time(_ value: String) -> JSON {
        if let milliseconds = Int64(value) {
            return milliseconds > 0 ? .string("\(Timestamp(milliseconds: milliseconds))") : .null
        }
        return Timestamp(rfc3339: value).map { .string("\($0)") } ?? .null
    }
}

/// One hash of a family as it was read: values in the order of its schema's fields. Immutable, shared by snapshots.
final class Record: Sendable {
    let identifier: String
    let values: [String?]

    init(identifier: String, values: [String?]) {
        self.identifier = identifier
        self.values = values
    }
}

extension StringProtocol {
    func trimmingSpaces() -> String {
        var rest = Substring(self)
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
