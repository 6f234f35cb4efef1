import Wire

/// A part of a fire's story: what is known, and for what is not known the reason why.
struct StorySection {
    private(set) var fields = JSONObject()
    private var reasons = JSONObject()

    /// - Parameter why: said under `not_known` where the value is null.
    mutating func put(_ name: String, _ value: JSON, _ why: @autoclosure () -> String) {
        fields.append(name, value)
        if value == .null { reasons.append(name, .string(why())) }
    }

    /// For what is always known.
    mutating func put(_ name: String, _ value: JSON) { fields.append(name, value) }

    var json: JSON {
        var object = fields
        if !reasons.isEmpty { object.append("not_known", .object(reasons)) }
        return .object(object)
    }
}
