import Domain
import Testing

@Suite struct AmountTests {
    @Test(arguments: [
        ("0", 0), ("-0.00", 0), ("1", 100_000_000), ("1.17620", 117_620_000), ("-12.30", -1_230_000_000),
        ("+1.5", 150_000_000), (".5", 50_000_000), ("5.", 500_000_000), ("00012", 1_200_000_000),
        ("1e-3", 100_000), ("1E+2", 10_000_000_000), ("12.5e1", 12_500_000_000), ("0.000000001e1", 1),
        ("92233720368.54775807", Int64.max), ("-92233720368.54775808", Int64.min),
        // The ninth decimal on is rounded half to even.
        ("0.000000005", 0), ("0.000000015", 2), ("0.0000000051", 1), ("0.0000000149", 1), ("-0.000000015", -2),
        ("0.00000000999", 1), ("1e-9", 0), ("5e-9", 0), ("51e-10", 1), ("9e-63", 0), ("0e63", 0),
    ])
    func decimalTextIsExact(text: String, units: Int64) {
        #expect(Amount(text)?.units == units)
    }

    @Test(arguments: [
        "", " ", "-", "+", ".", "-.", "e5", "1e", "1e+", "1e5.0", "1.2.3", "1,5", "1 ", " 1", "nan", "inf", "-nan(ind)",
        "0x10", "1e999", "1e-999", "1e64", "--1", "+-1", "1_000", "\u{0661}", "92233720368.54775808",
        "-92233720368.54775809", "92233720368.547758075", "999999999999", "18446744073709551616e-8", "1e63",
        String(repeating: "0", count: 65),
    ])
    func whatIsNoAmountOfOursIsNil(text: String) {
        #expect(Amount(text) == nil)
    }

    @Test(arguments: [
        (117_620_000, "1.1762"), (0, "0"), (-5, "-0.00000005"), (10_000_000_000, "100"),
        (Int64.max, "92233720368.54775807"), (Int64.min, "-92233720368.54775808"),
    ])
    func textHasNoNeedlessZeros(units: Int64, text: String) {
        #expect(Amount(units: units).description == text)
    }

    @Test func textWithDecimals() throws {
        let price = try #require(Amount("1.2"))
        #expect(price.text(minimumDecimals: 5) == "1.20000")
        #expect(Amount(units: 123_456_789).text(minimumDecimals: 2) == "1.23456789")
        #expect(Amount(3).text(minimumDecimals: 2) == "3.00")
    }

    @Test(arguments: [("1.005", "1.00"), ("1.015", "1.02"), ("-1.005", "-1.00"), ("2.5", "2.50"), ("-0.001", "0.00")])
    func moneyHasTwoDecimals(text: String, money: String) throws {
        #expect(try #require(Amount(text)).money == money)
    }

    @Test func sumsThatLeaveTheRangeStayAtItsEnd() {
        let top = Amount(units: .max)
        let bottom = Amount(units: .min)
        #expect(top + Amount(1) == top)
        #expect(bottom - Amount(1) == bottom)
        #expect(-bottom == top)
        #expect(bottom.magnitude == top)
        #expect(top * top == top && top * bottom == bottom)
        #expect(Amount(.max) == top && Amount(.min) == bottom)
        #expect(bottom.roundedDown(toStep: Amount(7)) == bottom)
        #expect(top.rounded(decimals: 0) == top)
        var sum = top
        sum += top
        #expect(sum == top)
    }

    @Test func products() throws {
        #expect(try #require(Amount("0.1")) * #require(Amount("0.1")) == Amount("0.01"))
        #expect(try #require(Amount("-1.5")) * #require(Amount("0.00000001")) == Amount("-0.00000002"))
        #expect(Amount(10).divided(by: Amount(3)) == Amount("3.33333333"))
        #expect(Amount(-10).divided(by: Amount(4)) == Amount("-2.5"))
        #expect(Amount(1).divided(by: .zero) == nil)
    }

    @Test(arguments: [
        ("0.0944", "0.01", "0.09"), ("0.10", "0.01", "0.1"), ("-0.0944", "0.01", "-0.1"), ("5", "0", "5"),
        ("0.99", "1", "0"), ("7", "-1", "7"),
    ])
    func lotsAreRoundedDown(value: String, step: String, rounded: String) throws {
        #expect(try #require(Amount(value)).roundedDown(toStep: #require(Amount(step))) == Amount(rounded))
    }

    @Test func signs() {
        #expect(Amount.zero.isZero && !Amount.zero.isPositive && !Amount.zero.isNegative)
        #expect(Amount(1).isPositive && Amount(-1).isNegative && Amount(-1) < Amount(1))
        #expect(Amount(units: 150_000_000).double == 1.5)
    }
}
