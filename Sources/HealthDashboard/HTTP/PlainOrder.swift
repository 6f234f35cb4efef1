import Wire

/// The order of lists whose items are no rows of a family: by any field that is a number or a text in some item.
enum PlainOrder {
    static func sorted(_ items: [JSON], _ parameter: String?) throws(HTTPProblem) -> [JSON] {
        guard let parameter, !parameter.isEmpty else { return items }
        let isDescending = parameter.hasPrefix("-")
        let name = isDescending ? String(parameter.dropFirst()) : parameter
        guard let first = items.first?.object else { return items }
        guard first[name] != nil else {
            let names = first.fields.map(\.name).joined(separator: " ")
            throw .badRequest("'sort' is one of: \(names); with a leading '-' the other way round")
        }
        let keyed = items.enumerated().map { (place: $0, value: $1.object?[name] ?? .null, item: $1) }
        return keyed.sorted { left, right in
            switch order(left.value, right.value) {
            // What has no value stands last in both directions; equal ones stay as they were.
            case .some(0): return left.place < right.place
            case .some(let difference): return isDescending ? difference > 0 : difference < 0
            case .none: return left.value.text != nil && right.value.text == nil
            }
        }.map(\.item)
    }

    /// Negative, zero or positive; nil where one of the two has no value.
    private static func order(_ left: JSON, _ right: JSON) -> Int? {
        guard let one = left.text, let other = right.text else {
            return left.text == nil && right.text == nil ? 0 : nil
        }
        if case .number = left, case .number = right, let first = Double(one), let second = Double(other) {
            return first == second ? 0 : first < second ? -1 : 1
        }
        return one == other ? 0 : one < other ? -1 : 1
    }
}
