/// A JSON value that keeps what arrived: numbers stay the decimal text they were sent as, objects keep their order.
///
/// Foundation's readers turn `1.10` into a double; money here is stored as the text that came.
public enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case object(JSONObject)

    public static func integer(_ value: some BinaryInteger) -> JSON { .number(String(value)) }
    public static func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
    /// A decimal text as a number, or null where there is none.
    public static func decimal(_ value: String?) -> JSON {
        guard let value, JSON.isNumber(value) else { return .null }
        return .number(value)
    }

    public var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
    public var array: [JSON]? { if case .array(let items) = self { items } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The text of a string or of a number: terminals send one where the other belongs.
    public var text: String? {
        switch self {
        case .string(let value), .number(let value): value
        default: nil
        }
    }

    /// Whether the text is a number by the grammar of RFC 8259.
    public static func isNumber(_ text: String) -> Bool {
        var copy = text
        return copy.withUTF8 { bytes in
            var parser = JSONParser(bytes: bytes)
            return parser.skipNumber() && parser.isAtEnd
        }
    }
}

/// A JSON object in the order its fields came; of a repeated name the first counts, as terminals read it too.
public struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    public struct Field: Sendable, Equatable {
        public let name: String
        public var value: JSON
    }

    public private(set) var fields: [Field] = []

    public init() {}
    public init(dictionaryLiteral elements: (String, JSON)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    public subscript(name: String) -> JSON? {
        get { fields.first { $0.name == name }?.value }
        set {
            let index = fields.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): fields[index].value = value
            case (let index?, nil): fields.remove(at: index)
            case (nil, let value?): fields.append(Field(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Adds a field without looking for an earlier one of that name.
    public mutating func append(_ name: String, _ value: JSON) { fields.append(Field(name: name, value: value)) }

    public var isEmpty: Bool { fields.isEmpty }
}

// MARK: - Reading

extension JSON {
    public init(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.parseDocument()
    }

    public init(_ bytes: [UInt8]) throws(JSONError) {
        let result: Result<JSON, JSONError> = bytes.withUnsafeBufferPointer { buffer in
            do throws(JSONError) { return .success(try JSON(buffer)) } catch { return .failure(error) }
        }
        self = try result.get()
    }

    public init(_ text: String) throws(JSONError) { self = try JSON(Array(text.utf8)) }
}
