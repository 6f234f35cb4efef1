import Domain
import Wire

/// Which part of a list is asked for: `limit`, `offset`, `sort`, filters and `q`.
///
/// A parameter that is wrong is an error that names it; those nobody knows are refused before, see ``KnownParameters``.
struct ListQuery: Sendable, Equatable {
    struct Order: Sendable, Equatable {
        /// The place of the field in the schema; nil sorts by identifier.
        var field: Int?
        var isDescending = false
    }

    static let usualLimit = 100
    static let maximumLimit = 1000
    /// Longer texts are no filter anybody typed.
    static let maximumText = 256

    var limit = ListQuery.usualLimit
    var offset = 0
    var order: Order
    /// Each filter with the values it lets through, in lower case.
    var filters: [(fields: [Int], values: Set<String>)] = []
    /// Each flag by its place in the schema, with what it must be.
    var flags: [Int: Bool] = [:]
    var search = ""

    init(_ parameters: [String: String], _ schema: Schema) throws(HTTPProblem) {
        limit = try ListQuery.number(parameters, "limit", 1...ListQuery.maximumLimit) ?? ListQuery.usualLimit
        offset = try ListQuery.number(parameters, "offset", 0...1_000_000_000) ?? 0
        order = try ListQuery.order(parameters["sort"], schema)
        for filter in schema.filters {
            if let values = try ListQuery.values(parameters, filter.parameter, words: filter.words) {
                filters.append((filter.fields, values))
            }
        }
        for (index, flag) in schema.flags.enumerated() {
            if let value = try ListQuery.flag(parameters, flag.parameter) { flags[index] = value }
        }
        if let text = parameters["q"] {
            try ListQuery.check(text, "q")
            search = text.trimmingSpaces().lowercased()
        }
    }

    static func == (left: ListQuery, right: ListQuery) -> Bool {
        left.limit == right.limit && left.offset == right.offset && left.order == right.order
            && left.search == right.search && left.filters.map(\.fields) == right.filters.map(\.fields)
            && left.filters.map(\.values) == right.filters.map(\.values) && left.flags == right.flags
    }

    static func number(_ parameters: [String: String], _ name: String, _ range: ClosedRange<Int>)
        throws(HTTPProblem) -> Int?
    {
        guard let text = parameters[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw .badRequest("'\(name)' is a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// The values a filter lets through, in lower case; nil where the parameter is not there or empty.
    ///
    /// - Parameter words: what it may be; a value that is none of them is an error that says so.
    static func values(
        _ parameters: [String: String], _ name: String, words: [String]?
    ) throws(HTTPProblem) -> Set<String>? {
        guard let text = parameters[name], !text.isEmpty else { return nil }
        try check(text, name)
        let values = Set(text.lowercased().split(separator: ",").map { $0.trimmingSpaces() })
        guard let words else { return values }
        guard !values.isEmpty, values.isSubset(of: words.map { $0.lowercased() }) else {
            throw .badRequest("'\(name)' is one of: \(words.joined(separator: " ")); several with commas between")
        }
        return values
    }

    static func flag(_ parameters: [String: String], _ name: String) throws(HTTPProblem) -> Bool? {
        guard let text = parameters[name], !text.isEmpty else { return nil }
        switch text.lowercased() {
        case "1", "true": return true
        case "0", "false": return false
        default: throw .badRequest("'\(name)' is 1 or 0")
        }
    }

    static func check(_ text: String, _ name: String) throws(HTTPProblem) {
        if text.unicodeScalars.count > maximumText {
            throw .badRequest("'\(name)' is longer than \(maximumText) characters")
        }
    }

    private static func order(_ text: String?, _ schema: Schema) throws(HTTPProblem) -> Order {
        guard let text, !text.isEmpty else { return schema.order }
        let isDescending = text.hasPrefix("-")
        let name = isDescending ? String(text.dropFirst()) : text
        if name == schema.identifier { return Order(field: schema.position(name), isDescending: isDescending) }
        guard let position = schema.position(name) else {
            let names = schema.fields.map(\.name).joined(separator: " ")
            throw .badRequest("'sort' is one of: \(names); with a leading '-' the other way round")
        }
        return Order(field: position, isDescending: isDescending)
    }
}

/// A page of a list: what matched in all, and the items of the page in their order.
struct ListPage {
    let total: Int
    let records: [Record]
}

extension ListQuery {
    /// - Parameter now: the moment for which flags such as `overdue` are answered.
    func page(of records: [Record], _ schema: Schema, now: Timestamp) -> ListPage {
        let isWhole = filters.isEmpty && flags.isEmpty && search.isEmpty
        let matching = isWhole ? records : records.filter { matches($0, schema, now) }
        let sorted = sort(matching, schema)
        return ListPage(total: matching.count, records: Array(sorted.dropFirst(offset).prefix(limit)))
    }

    private func matches(_ record: Record, _ schema: Schema, _ now: Timestamp) -> Bool {
        for (index, wanted) in flags where schema.flags[index].isSet(record, now) != wanted { return false }
        for filter in filters {
            let isIn = filter.fields.contains { field in
                guard let value = record.values[field] else { return false }
                if filter.values.contains(where: { CaseInsensitive.isEqual(value, $0) }) { return true }
                guard schema.fields[field].kind == .words else { return false }
                return value.split(separator: ",").contains { word in
                    filter.values.contains { CaseInsensitive.isEqual(word.trimmingSpaces(), $0) }
                }
            }
            if !isIn { return false }
        }
        guard !search.isEmpty else { return true }
        if CaseInsensitive.contains(record.identifier, search) { return true }
        return schema.searched.contains { record.values[$0].map { CaseInsensitive.contains($0, search) } ?? false }
    }

    private enum SortKey {
        case number(Double)
        case text(String)
        case nothing
    }

    private func sort(_ records: [Record], _ schema: Schema) -> [Record] {
        guard let field = order.field else {
            return records.sorted {
                order.isDescending ? $0.identifier > $1.identifier : $0.identifier < $1.identifier
            }
        }
        let isNumber: Bool =
            switch schema.fields[field].kind {
            case .decimal, .integer, .time: true
            case .text, .flag, .words, .json: false
            }
        let keyed = records.map { record -> (key: SortKey, record: Record) in
            guard let value = record.values[field], !value.isEmpty else { return (.nothing, record) }
            // Doubles order a page; what is shown stays the decimal text.
            if isNumber { return (Double(value).map { .number($0) } ?? .nothing, record) }
            return (.text(value), record)
        }
        return keyed.sorted { isBefore($0, $1) }.map(\.record)
    }

    /// What has no value stands last in both directions; equal ones by identifier, so that pages never overlap.
    private func isBefore(_ left: (key: SortKey, record: Record), _ right: (key: SortKey, record: Record)) -> Bool {
        switch (left.key, right.key) {
        case (.number(let one), .number(let other)) where one != other:
            return order.isDescending ? one > other : one < other
        case (.text(let one), .text(let other)) where one != other:
            return order.isDescending ? one > other : one < other
        case (.nothing, .number), (.nothing, .text): return false
        case (.number, .nothing), (.text, .nothing): return true
        default: return left.record.identifier < right.record.identifier
        }
    }
}
