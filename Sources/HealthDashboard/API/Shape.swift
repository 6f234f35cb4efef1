import Wire

/// What a value of the interface looks like, written as JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1).
indirect enum Shape: Sendable {
    case text, integer, number, flag, time, any
    /// One of these words.
    case word([String])
    case list(Shape)
    /// An object whose names are data.
    case map(Shape)
    /// Every named field is there; others may be.
    case object([(String, Shape)])
    /// As the inner one, or null.
    case optional(Shape)
    case named(String)

    var json: JSON {
        switch self {
        case .text: Shape.typed("string")
        case .integer: Shape.typed("integer")
        case .number: Shape.typed("number")
        case .flag: Shape.typed("boolean")
        case .time: .object(["type": .string("string"), "format": .string("date-time")])
        case .any: .object([:])
        case .word(let words): .object(["type": .string("string"), "enum": .array(words.map { .string($0) })])
        case .list(let item): .object(["type": .string("array"), "items": item.json])
        case .map(let value): .object(["type": .string("object"), "additionalProperties": value.json])
        case .object(let fields):
            .object([
                "type": .string("object"), "required": .array(fields.map { .string($0.0) }),
                "properties": .object(fields.reduce(into: JSONObject()) { $0.append($1.0, $1.1.json) }),
            ])
        case .optional(let inner): .object(["anyOf": .array([inner.json, Shape.typed("null")])])
        case .named(let name): .object(["$ref": .string("#/components/schemas/\(name)")])
        }
    }

    private static func typed(_ name: String) -> JSON { .object(["type": .string(name)]) }

    /// What an item of a family looks like, from the table that writes it.
    static func item(of schema: Schema, and others: [(String, Shape)] = []) -> Shape {
        var fields: [(String, Shape)] = schema.position(schema.identifier) == nil ? [(schema.identifier, .text)] : []
        for field in schema.fields { fields.append((field.name, .of(field.kind))) }
        return .object(fields + others)
    }

    private static func of(_ kind: FieldKind) -> Shape {
        switch kind {
        case .text: .optional(.text)
        case .decimal: .optional(.number)
        case .integer: .optional(.integer)
        case .time: .optional(.time)
        case .flag: .optional(.flag)
        case .words: .list(.text)
        case .json: .any
        }
    }

    /// The envelope of every list.
    static func page(_ item: Shape) -> Shape {
        .object([
            ("now", .time), ("as_of", .optional(.time)), ("total", .integer), ("offset", .integer), ("limit", .integer),
            ("items", .list(item)),
        ])
    }
}
