import Citadel
import Domain
import Wire

/// Writes JSON straight into bytes: an answer has a hundred values, and a tree of them would cost more than scoring.
///
/// Field names are literals without characters to escape; commas are set between fields and elements by the caller's
/// order. One value, one thread.
struct AnswerText {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    private mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func name(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        raw(name)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// The same for a name that is not a literal.
    mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    mutating func object(_ body: (inout AnswerText) -> Void) {
        open(UInt8(ascii: "{"))
        body(&self)
        close(UInt8(ascii: "}"))
    }

    mutating func array<Element>(_ elements: [Element], _ body: (inout AnswerText, Element) -> Void) {
        open(UInt8(ascii: "["))
        for element in elements { body(&self, element) }
        close(UInt8(ascii: "]"))
    }

    mutating func bool(_ value: Bool) {
        separate()
        if value { raw("true") } else { raw("false") }
    }

    mutating func null() {
        separate()
        raw("null")
    }

    mutating func integer(_ value: Int) { number("\(value)") }

    /// A number as it is written; must be one.
    mutating func number(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    mutating func string(_ text: String) {
        separate()
        var copy = text
        let isPlain = copy.withUTF8 { units in
            units.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        }
        guard isPlain else {
            JSON.string(text).write(into: &bytes)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        copy.withUTF8 { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A figure rounded to `decimals` already: its digits without trailing zeros, at least one after the point.
    mutating func figure(_ value: Double, _ decimals: Int) {
        var scale = 1.0
        for _ in 0..<min(max(decimals, 1), 8) { scale *= 10 }
        let scaled = (value * scale).rounded()
        guard scaled.isFinite, abs(scaled) < 9e15 else { return number("\(value.isFinite ? value : 0)") }
        separate()
        var units = Int64(scaled)
        if units < 0 {
            bytes.append(UInt8(ascii: "-"))
            units = -units
        }
        let whole = Int64(scale)
        decimal(units / whole)
        bytes.append(UInt8(ascii: "."))
        var rest = units % whole
        var place = whole / 10
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / place))
            rest %= place
            place /= 10
        } while rest > 0
    }

    private mutating func decimal(_ value: Int64) {
        if value >= 10 { decimal(value / 10) }
        bytes.append(UInt8(ascii: "0") + UInt8(value % 10))
    }
}

extension ProtectionScore {
    /// The fields of the answer to a query, as the contract's section 2 has them.
    ///
    /// - Parameters:
    ///   - asked: the symbol as the client spelled it.
    ///   - entry: as the client wrote it, or the market's price.
    ///   - digits: decimals of the symbol's prices.
    func encoded(symbol asked: String, entry: WrittenPrice, digits: Int) -> [UInt8] {
        var text = AnswerText(capacity: 4_096)
        text.name("symbol")
        text.string(asked)
        text.name("entry_price")
        text.number(entry.text)
        text.name("direction")
        text.string(direction.rawValue)
        text.name("direction_assumed")
        text.bool(directionAssumed)
        text.name("protection_score")
        text.figure(protectionScore, 1)
        text.name("risk_level")
        text.string(riskLevel.rawValue)
        text.name("recommendation")
        text.string(recommendation)
        text.name("factors")
        write(factors: &text)
        text.name("insights")
        text.array(insights) { $0.string($1) }
        text.name("insight_factors")
        text.array(insightFactors) { text, factor in
            if let factor { text.string(factor.rawValue) } else { text.null() }
        }
        text.name("confidence")
        text.figure(confidence, 2)
        text.name("stale")
        text.bool(stale)
        text.name("levels")
        write(levels: &text, digits: digits)
        text.name("timestamp")
        text.string(Timestamp(milliseconds: timestampMilliseconds).description)
        if let decay {
            text.name("decay")
            text.number(decay.document.compactText)
        }
        if asked != symbol {
            text.name("canonical_symbol")
            text.string(symbol)
        }
        return text.bytes
    }

    /// Factor name -> score 1 to 10, weight 0 to 1, contribution; the contributions add up to the score.
    private func write(factors text: inout AnswerText) {
        text.open(UInt8(ascii: "{"))
        for factor in factors {
            text.key(factor.name.rawValue)
            text.object { text in
                text.name("score")
                text.figure(factor.score, 1)
                text.name("weight")
                text.figure(factor.weight, 2)
                text.name("contribution")
                text.figure(factor.contribution, 3)
            }
        }
        text.close(UInt8(ascii: "}"))
    }

    private func write(levels text: inout AnswerText, digits: Int) {
        text.array(levels) { text, level in
            text.object { text in
                text.name("price")
                text.figure(level.price, digits)
                text.name("side")
                text.string(level.side.rawValue)
                text.name("state")
                text.string(level.state.rawValue)
                text.name("strength")
                text.figure(level.strength, 1)
                text.name("distance_pips")
                text.figure(level.distancePips, 1)
                text.name("members")
                text.integer(level.members)
                text.name("origins")
                text.array(level.origins) { $0.string($1) }
            }
        }
    }
}
