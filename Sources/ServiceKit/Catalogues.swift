public import Domain

/// Reads `deploy/config/symbols.yaml`.
public enum InstrumentFile {
    /// - Throws: ``ConfigurationError`` naming the instrument and the field.
    public static func load(path: String) throws(ConfigurationError) -> InstrumentCatalogue {
        let root = try ConfigurationFile.mapping(path: path)
        guard let rows = root["instruments"] as? [String: Any] else {
            throw ConfigurationError(path, "it needs a mapping named 'instruments'")
        }
        var instruments: [Instrument] = []
        var aliases: [String: String] = [:]
        for (symbol, value) in rows.sorted(by: { $0.key < $1.key }) {
            guard let fields = value as? [String: Any] else {
                throw ConfigurationError(path, "\(symbol) must be a mapping of its properties")
            }
            instruments.append(try instrument(symbol, fields, path))
            for alias in fields["aliases"] as? [String] ?? [] { aliases[alias.uppercased()] = symbol }
        }
        return InstrumentCatalogue(instruments: instruments, aliases: aliases)
    }

    private static func instrument(
        _ symbol: String, _ fields: [String: Any], _ path: String
    ) throws(ConfigurationError) -> Instrument {
        func amount(_ key: String, default fallback: String? = nil) throws(ConfigurationError) -> Amount {
            let text = fields[key].map { "\($0)" } ?? fallback
            guard let text, let value = Amount(text), value.isPositive else {
                throw ConfigurationError(path, "\(symbol): '\(key)' must be a number above 0")
            }
            return value
        }
        guard let digits = fields["digits"] as? Int, (0...8).contains(digits) else {
            throw ConfigurationError(path, "\(symbol): 'digits' must be a number from 0 to 8")
        }
        guard let kind = Instrument.Kind(rawValue: fields["kind"] as? String ?? "") else {
            throw ConfigurationError(path, "\(symbol): 'kind' must be forex, metal, index, crypto, energy or other")
        }
        guard let quote = fields["quote"] as? String else {
            throw ConfigurationError(path, "\(symbol): 'quote' must name the currency profit arises in")
        }
        return Instrument(
            symbol: symbol, kind: kind, digits: digits, pip: try amount("pip"), contractSize: try amount("contract"),
            quoteCurrency: quote, lotStep: try amount("lot_step", default: "0.01"),
            minimumLot: try amount("minimum_lot", default: "0.01"),
            maximumLot: try amount("maximum_lot", default: "100"))
    }
}
