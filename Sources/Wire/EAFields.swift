import Domain

/// One message's fields by meaning, found in a single pass, with readers that check what they hand out.
struct EAFields {
    /// Identifiers: node, user, fire, symbol, account, server.
    static let maximumIdentifier = 128
    /// Every other text is cut here.
    static let maximumText = 512

    /// The message type as it arrived, for complaints.
    var type: String?
    private let values: [JSONObject.Field]
    /// Per ``EAField``: 1 + the position among `values`, 0 where the field is absent.
    private let places: [UInt16]

    init(_ object: JSONObject) { self.init(object.fields) }

    private init(_ values: [JSONObject.Field]) {
        self.values = values
        var ranks = [UInt8](repeating: .max, count: EAField.allCases.count)
        var places = [UInt16](repeating: 0, count: EAField.allCases.count)
        // A frame of 64 KiB holds fewer fields than UInt16 counts: four bytes are the least for one (`"":0`).
        for (index, entry) in values.enumerated() {
            if case .null = entry.value { continue }
            guard let meaning = EAField.meanings[entry.name] else { continue }
            let slot = Int(meaning.field.rawValue)
            // Of a repeated name the first counts, as terminals read it too.
            guard meaning.rank < ranks[slot] else { continue }
            ranks[slot] = meaning.rank
            places[slot] = UInt16(truncatingIfNeeded: index + 1)
        }
        self.places = places
    }

    subscript(field: EAField) -> JSON? {
        let place = Int(places[Int(field.rawValue)])
        return place == 0 ? nil : values[place - 1].value
    }

    /// Whether the field came by that spelling.
    func isSpelled(_ field: EAField, _ name: String) -> Bool {
        let place = Int(places[Int(field.rawValue)])
        return place > 0 && values[place - 1].name == name
    }

    /// The fields of a nested object with those around it behind them; the same fields where there is no such object.
    func flattened(_ field: EAField) -> EAFields {
        guard let inner = self[field]?.object else { return self }
        var merged = EAFields(inner.fields + values)
        merged.type = type
        return merged
    }

    // MARK: - Readers

    /// A text, or a number's text, cut at 512 characters; nil where it is absent or empty.
    func text(_ field: EAField) -> String? {
        guard let text = self[field]?.text, !text.isEmpty else { return nil }
        guard text.utf8.count > EAFields.maximumText else { return text }
        return String(text.unicodeScalars.prefix(EAFields.maximumText))
    }

    /// An identifier of 1 to 128 characters without control characters.
    func identifier(_ field: EAField) throws(EAReject) -> String? {
        guard let value = self[field] else { return nil }
        guard let text = value.text else { throw .bad(field.name, "is no text", type: type) }
        guard EAFields.isIdentifier(text) else {
            throw .bad(field.name, "is no identifier: \(EAReject.quote(text))", type: type)
        }
        return text
    }

    /// An identifier that terminals send empty where they have none: `fire_id` of an unknown command, `server` offline.
    func optionalIdentifier(_ field: EAField) throws(EAReject) -> String? {
        if let text = self[field]?.text, text.isEmpty { return nil }
        return try identifier(field)
    }

    /// A decimal as it arrived; nil where it is absent or an empty text.
    func decimal(_ field: EAField) throws(EAReject) -> String? {
        guard let value = self[field] else { return nil }
        guard let text = value.text else { throw .bad(field.name, "is no number", type: type) }
        if text.isEmpty { return nil }
        guard let amount = Amount(text) else {
            throw .bad(field.name, "is no number: \(EAReject.quote(text))", type: type)
        }
        // Text such as `+1` or `.5` is a number to us but not to JSON: what is stored must be one to everybody.
        if case .string = value, !JSON.isNumber(text) { return amount.description }
        return text
    }

    /// A decimal whose zero means that the terminal does not know: prices, lots, stops.
    func nonzero(_ field: EAField) throws(EAReject) -> String? {
        guard let text = try decimal(field), let amount = Amount(text), !amount.isZero else { return nil }
        return text
    }

    /// An exact price above zero.
    func price(_ field: EAField) throws(EAReject) -> (amount: Amount, text: String) {
        let text = try required(field, decimal(field))
        guard let amount = Amount(text), amount.isPositive else {
            throw .bad(field.name, "is no positive price: \(EAReject.quote(text))", type: type)
        }
        return (amount, text)
    }

    /// A whole number; nil where it is absent.
    func integer(_ field: EAField) throws(EAReject) -> Int64? {
        guard let value = self[field] else { return nil }
        guard let text = value.text, let number = Int64(text) else {
            throw .bad(field.name, "is no whole number", type: type)
        }
        return number
    }

    /// A ticket; 0 means none, and below zero lies what 7.01 makes of one past 2^31.
    func ticket() throws(EAReject) -> Int64? {
        guard let number = try integer(.ticket), number > 0 else { return nil }
        return number
    }

    func direction() -> Direction? { text(.direction).flatMap(Direction.init(wire:)) }

    func required<Value>(_ field: EAField, _ value: Value?) throws(EAReject) -> Value {
        guard let value else { throw .missing(field.name, type: type) }
        return value
    }

    static func isIdentifier(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 4 * maximumIdentifier else { return false }
        var count = 0
        for scalar in text.unicodeScalars {
            count += 1
            // C0, DEL and C1; the last are what Windows-1252 has no character for.
            if scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) { return false }
        }
        return count <= maximumIdentifier
    }
}
