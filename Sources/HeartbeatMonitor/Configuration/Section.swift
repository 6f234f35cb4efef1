import ServiceKit

/// A mapping of the file of rules with the name of its place, so that a complaint says where.
struct Section {
    let path: String
    let name: String
    let values: [String: Any]

    func complaint(_ message: String) -> ConfigurationError {
        ConfigurationError(path, name.isEmpty ? message : "\(name): \(message)")
    }

    func allow(_ names: Set<String>) throws(ConfigurationError) {
        guard let stranger = values.keys.sorted().first(where: { !names.contains($0) }) else { return }
        throw complaint("'\(stranger)' is unknown; there are \(names.sorted().joined(separator: ", "))")
    }

    func section(_ key: String) throws(ConfigurationError) -> Section? {
        guard let value = values[key] else { return nil }
        guard let mapping = value as? [String: Any] else {
            throw complaint("'\(key)' must be a mapping of names to values")
        }
        return Section(path: path, name: name.isEmpty ? key : "\(name).\(key)", values: mapping)
    }

    /// A list of mappings; each is called by its number from 1.
    func sections(_ key: String) throws(ConfigurationError) -> [Section] {
        guard let value = values[key] else { return [] }
        guard let items = value as? [Any] else { throw complaint("'\(key)' must be a list") }
        var result: [Section] = []
        for (index, item) in items.enumerated() {
            guard let mapping = item as? [String: Any] else {
                throw complaint("\(key)[\(index + 1)] must be a mapping of names to values")
            }
            let title = (mapping["alert"] as? String).map { " (\($0))" } ?? ""
            result.append(Section(path: path, name: "\(key)[\(index + 1)]\(title)", values: mapping))
        }
        return result
    }

    func text(_ key: String) throws(ConfigurationError) -> String? {
        guard let value = values[key] else { return nil }
        guard !(value is [Any]), !(value is [String: Any]) else { throw complaint("'\(key)' must be a text") }
        return "\(value)"
    }

    func texts(_ key: String) throws(ConfigurationError) -> [String]? {
        guard let value = values[key] else { return nil }
        if let one = value as? String { return [one] }
        guard let items = value as? [Any], items.allSatisfy({ $0 is String }) else {
            throw complaint("'\(key)' must be a list of names")
        }
        return items.map { "\($0)" }
    }

    func truth(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let value = values[key] else { return nil }
        guard let truth = value as? Bool else { throw complaint("'\(key)' is true or false, not '\(value)'") }
        return truth
    }

    func number(_ key: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int? {
        guard let value = values[key] else { return nil }
        guard let number = value as? Int, range.contains(number) else {
            throw complaint(
                "'\(key)' is a whole number from \(range.lowerBound) to \(range.upperBound), not '\(value)'")
        }
        return number
    }

    /// Milliseconds of `500ms`, `10s`, `5m`, `4h`, `1d` or `0`.
    func duration(_ key: String) throws(ConfigurationError) -> Int64? {
        guard let value = values[key] else { return nil }
        if let milliseconds = Section.duration("\(value)") { return milliseconds }
        throw complaint("'\(key)' is a duration like 10s, 5m, 4h or 1d, not '\(value)'")
    }

    static func duration(_ text: String) -> Int64? {
        if text == "0" { return 0 }
        let units: [(String, Int64)] = [
            ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        for (unit, factor) in units where text.hasSuffix(unit) {
            guard let number = Int64(text.dropLast(unit.count)), (0...100_000).contains(number) else { continue }
            return number * factor
        }
        return nil
    }
}
