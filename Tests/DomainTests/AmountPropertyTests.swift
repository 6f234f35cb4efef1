import Domain
import Testing

/// What holds for every amount, tried on drawn ones; each test prints its seed.
@Suite struct AmountPropertyTests {
    /// Amounts of all sizes, with the ends of the range among them.
    private func amount(_ random: inout SeededGenerator) -> Amount {
        let ends: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        if Int.random(in: 0..<16, using: &random) == 0 { return Amount(units: ends.randomElement(using: &random) ?? 0) }
        return Amount(units: Int64(bitPattern: random.next()) >> Int64.random(in: 0...62, using: &random))
    }

    private func everyAmount(_ name: String, seed: UInt64, _ check: (Amount, inout SeededGenerator) throws -> Void)
        rethrows
    {
        print("\(name) seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20_000 { try check(amount(&random), &random) }
    }

    @Test func textComesBack() {
        everyAmount("textComesBack", seed: 11) { value, random in
            #expect(Amount(value.description) == value)
            let decimals = Int.random(in: 0...8, using: &random)
            #expect(Amount(value.text(minimumDecimals: decimals)) == value)
        }
    }

    @Test func anExponentMovesThePoint() {
        everyAmount("anExponentMovesThePoint", seed: 12) { value, random in
            let places = Int.random(in: 0...20, using: &random)
            // The same digits as a whole number and a power of ten, padded so that digits fall off on neither side.
            let text = "\(value.units)\(String(repeating: "0", count: places))e-\(places + 8)"
            #expect(Amount(text) == value)
        }
    }

    @Test func roundingOfTextIsHalfToEven() {
        everyAmount("roundingOfTextIsHalfToEven", seed: 13) { value, random in
            let more = Int64.random(in: 0...999, using: &random)
            let exact = Int128(value.units) * 1000 + Int128(value.units < 0 ? -more : more)
            let text = "\(exact)e-11"
            let (quotient, remainder) = exact.magnitude.quotientAndRemainder(dividingBy: 1000)
            let isUp = remainder > 500 || (remainder == 500 && quotient % 2 == 1)
            let magnitude = Int128(quotient) + (isUp ? 1 : 0)
            #expect(Amount(text)?.units == Int64(exactly: exact < 0 ? -magnitude : magnitude))
        }
    }

    @Test func sumsAreExactOrAtTheEnd() {
        everyAmount("sumsAreExactOrAtTheEnd", seed: 14) { left, random in
            let right = amount(&random)
            #expect((left + right).units == Int64(clamping: Int128(left.units) + Int128(right.units)))
            #expect((left - right).units == Int64(clamping: Int128(left.units) - Int128(right.units)))
            #expect(left + right == right + left)
        }
    }

    @Test func productsAreWithinHalfAUnit() {
        everyAmount("productsAreWithinHalfAUnit", seed: 15) { left, random in
            let right = amount(&random)
            let product = left * right
            let exact = Int128(left.units) * Int128(right.units)
            if product.units != .max, product.units != .min {
                let error = exact - Int128(product.units) * Int128(Amount.unitsPerOne)
                #expect(error.magnitude * 2 <= Amount.unitsPerOne.magnitude)
            }
            #expect(product == right * left)
        }
    }

    @Test func quotientsUndoProducts() {
        everyAmount("quotientsUndoProducts", seed: 16) { value, random in
            let divisor = Amount(Int.random(in: 1...1000, using: &random))
            let product = value * divisor
            if product.units != .max, product.units != .min { #expect(product.divided(by: divisor) == value) }
        }
    }

    @Test func roundingDownLandsOnTheStepBelow() {
        everyAmount("roundingDownLandsOnTheStepBelow", seed: 17) { value, random in
            let step = Amount(units: Int64.random(in: 1...1_000_000_000, using: &random))
            let rounded = value.roundedDown(toStep: step)
            #expect(rounded <= value)
            if rounded.units != .min {
                #expect(rounded.units % step.units == 0 && value - rounded < step)
                #expect(rounded.roundedDown(toStep: step) == rounded)
            }
        }
    }

    @Test func anyBytesAreAnAmountOrNil() {
        let seed: UInt64 = 18
        print("anyBytesAreAnAmountOrNil seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("0123456789999.eE+-".utf8)
        var amounts = 0
        for _ in 0..<100_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            let value = bytes.withUnsafeBufferPointer { Amount(ascii: $0) }
            guard let value else { continue }
            amounts += 1
            #expect(Amount(value.description) == value)
        }
        #expect(amounts > 5_000)
    }
}
