import Wire

/// A query parameter of the interface as OpenAPI describes it.
struct Parameter: Sendable {
    let name: String
    let about: String
    let schema: JSON

    var json: JSON {
        .object([
            "name": .string(name), "in": .string("query"), "description": .string(about), "schema": schema,
        ])
    }

    /// One of a few words, or several with commas between.
    static func words(_ name: String, _ words: [String], isSingle: Bool = false, about: String = "") -> Parameter {
        let one = "(\(words.joined(separator: "|")))"
        let text = about.isEmpty ? "only these" : about
        return Parameter(
            name: name, about: isSingle ? text : "\(text); several with commas between",
            schema: .object([
                "type": .string("string"), "pattern": .string(isSingle ? "^\(one)?$" : "^(\(one)(,\(one))*)?$"),
            ]))
    }

    static func text(_ name: String, about: String) -> Parameter {
        Parameter(
            name: name, about: about,
            schema: .object(["type": .string("string"), "maxLength": .integer(ListQuery.maximumText)]))
    }

    static func integer(_ name: String, _ range: ClosedRange<Int>, usual: Int, about: String) -> Parameter {
        Parameter(
            name: name, about: about,
            schema: .object([
                "type": .string("integer"), "minimum": .integer(range.lowerBound),
                "maximum": .integer(range.upperBound),
                "default": .integer(usual),
            ]))
    }

    static let format: Parameter = .words(
        "format", ["json", "text"], isSingle: true, about: "`text` writes columns for people at a terminal")

    static let page: [Parameter] = [
        .integer("limit", 1...ListQuery.maximumLimit, usual: ListQuery.usualLimit, about: "how many items at most"),
        .integer("offset", 0...1_000_000_000, usual: 0, about: "how many items to pass over"),
    ]

    /// What a list of a family takes, from the table that answers it.
    static func list(_ schema: Schema) -> [Parameter] {
        var names = schema.fields.map(\.name)
        if !names.contains(schema.identifier) { names.append(schema.identifier) }
        let sort: Parameter = .words(
            "sort", names.flatMap { [$0, "-\($0)"] }, isSingle: true, about: "a field; with a leading `-` descending")
        let filters = schema.filters.map { filter in
            filter.words.map { Parameter.words(filter.parameter, $0) }
                ?? Parameter.text(filter.parameter, about: "only where it is this; several with commas between")
        }
        let flags = schema.flags.map { flag in
            Parameter.words(
                flag.parameter, ["1", "0", "true", "false"], isSingle: true, about: "only those that are, or are not")
        }
        return page + [sort] + filters + flags + [
            Parameter.text("q", about: "only where some field contains this text")
        ]
    }
}
