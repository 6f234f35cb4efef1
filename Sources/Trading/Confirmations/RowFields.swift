import Domain

/// The fields of a row in the order in which they are shown; what has no value is left out.
struct RowFields {
    private(set) var list: [(name: String, value: String)] = []

    mutating func add(_ name: String, _ value: String?) {
        if let value, !value.isEmpty { list.append((name, value)) }
    }

    mutating func add(_ name: String, _ moment: Timestamp?) { add(name, moment.map { String($0.milliseconds) }) }

    /// `1` or `0`.
    mutating func add(_ name: String, _ isSet: Bool) { add(name, isSet ? "1" : "0") }

    /// `1`, or nothing.
    mutating func add(_ name: String, where isSet: Bool) { add(name, isSet ? "1" : nil) }
}

extension [String: String] {
    func amount(_ name: String) -> Amount? { self[name].flatMap { Amount($0) } }

    func integer(_ name: String) -> Int64? { self[name].flatMap { Int64($0) } }

    func moment(_ name: String) -> Timestamp? { integer(name).map { Timestamp(milliseconds: $0) } }

    func direction(_ name: String) -> Direction? { self[name].flatMap(Direction.init(rawValue:)) }

    func isSet(_ name: String) -> Bool { self[name] == "1" }
}
