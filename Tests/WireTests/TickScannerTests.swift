import Domain
import Testing
import Wire

@Suite struct TickScannerTests {
    private func scan(_ text: String) -> TickScan { Array(text.utf8).withUnsafeBufferPointer { scanTelemetry($0) } }

    private func part(_ text: String, _ range: Range<Int>) -> String {
        String(decoding: Array(text.utf8)[range], as: UTF8.self)
    }

    @Test func aQuotesFieldsStandWhereTheScanSays() {
        let line = Golden.tick2x
        let found = scan(line)
        #expect(found.kind == .tick)
        #expect(part(line, found.nodeID) == "NODE_843859_109092125")
        #expect(part(line, found.userUUID) == "COMMANDER_DEV_001")
        #expect(part(line, found.symbol) == "EURUSD")
        #expect(part(line, found.bid) == "1.17617")
        #expect(part(line, found.ask) == "1.17620")
        #expect(part(line, found.timestamp) == "2025.09.15 19:39:23")
        let bytes = Array(line.utf8)
        #expect(scanTelemetry(bytes.span) == found)
    }

    @Test func aBarsFieldsStandWhereTheScanSays() {
        let line = Golden.ohlc2x
        let found = scan(line)
        #expect(found.kind == .bar)
        #expect(part(line, found.symbol) == "EURUSD")
        #expect(part(line, found.timeframe) == "M1")
        #expect(part(line, found.time) == "1757965140")
    }

    @Test func everyGoldenLineIsWhatItIs() throws {
        for line in Golden.all {
            let bytes = Array(line.text.utf8)
            let decoded = try EADecoder.decode(bytes)
            switch decoded {
            case .tick: #expect(scanned(bytes) == decoded)
            case .bars where line.text.contains("OHLC"): #expect(scanned(bytes) == decoded)
            default: #expect(scan(line.text).kind == .other)
            }
        }
    }

    /// Changes of the golden quote after which it is still a plain one.
    @Test(arguments: [
        ("TICK", "tick"), ("TICK", "tIcK"), ("EURUSD", "#US30_x/y"), ("1.17617", "1"), ("1.17617", "0.00000001"),
        ("1.17617", "12345678.12345678"), ("3.0", "-3"), (#""volume":0"#, #""volume":12345678901234567890"#),
        (#""volume":0"#, #""anything":"else""#), (#""2025.09.15 19:39:23""#, "1757965163"),
        (#","timestamp":"2025.09.15 19:39:23""#, ""), (#""node_id":"NODE_843859_109092125","#, ""),
        (#""2025.09.15 19:39:23""#, #""never""#), (#""spread":3.0,"volume":0,"#, ""),
    ])
    func plainQuotesAreScanned(part: String, replacement: String) throws {
        let line = Golden.tick2x.replacing(part, with: replacement)
        let bytes = Array(line.utf8)
        #expect(scan(line).kind == .tick)
        #expect(try scanned(bytes) == EADecoder.decode(bytes))
    }

    /// Changes that make it unusual or bad: the decoder's business.
    @Test(arguments: [
        ("TICK", "TOCK"), ("TICK", "TICKS"), ("1.17617", "0"), ("1.17617", "0.00000"), ("1.17617", "-1.2"),
        ("1.17617", "1e1"), ("1.17617", "01.2"), ("1.17617", "1."), ("1.17617", ".5"), ("1.17617", "nan"),
        ("1.17617", "123456789"), ("1.17617", "1.123456789"), ("1.17617", "\"1.17617\""), ("1.17617", "null"),
        ("EURUSD", ""), ("EURUSD", "EUR\\\\USD"), ("EURUSD", "EUR\nUSD"), ("EURUSD", "é"), ("EURUSD", "\u{7F}"),
        (#""EURUSD""#, "7"), (#""symbol":"EURUSD","#, ""), (#""bid":1.17617,"#, ""), ("user_uuid", "target_uuid"),
        ("user_uuid", "uuid"), ("user_uuid", "user_id"), ("node_id", "ea_id"), ("timestamp", "ts"),
        (#""volume":0"#, #""volume":{}"#), (#""volume":0"#, #""volume":true"#), (#""volume":0"#, #""volume":0,"#),
        (#""volume":0"#, #""bid":1.17617"#), ("\"}", "\"} "), ("\"}", "\"}}"), ("\"}", "\""), ("{", "["),
        (",", ", "), ("\"bid\":", "\"bid\": "), (#""volume":0"#, #""volume":1e5"#),
        (#""volume":0"#, #""vol\u0075me":0"#),
    ])
    func unusualQuotesAreLeftToTheDecoder(part: String, replacement: String) {
        #expect(scan(Golden.tick2x.replacing(part, with: replacement)).kind == .other)
    }

    @Test func identifiersHaveTheDecodersLimit() {
        let longest = String(repeating: "s", count: 128)
        #expect(scan(Golden.tick2x.replacing("EURUSD", with: longest)).kind == .tick)
        #expect(scan(Golden.tick2x.replacing("EURUSD", with: longest + "s")).kind == .other)
    }

    @Test func everyCutFrameIsOther() {
        for count in 0..<Golden.tick2x.utf8.count {
            #expect(scan(String(Golden.tick2x.prefix(count))).kind == .other)
        }
    }

    @Test func aForeignFrameMakesNoQuote() {
        let found = scan(Golden.tick2x)
        Array("{}".utf8).withUnsafeBufferPointer { #expect(Tick(found, $0) == nil) }
    }

    @Test func generatedQuotesReadTheSameBothWays() throws {
        let seed: UInt64 = 0x5EED_71C5
        print("generatedQuotesReadTheSameBothWays seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<10_000 {
            let line = QuoteGenerator.quote(&random)
            let bytes = Array(line.utf8)
            #expect(scan(line).kind == .tick, "\(line)")
            #expect(try scanned(bytes) == EADecoder.decode(bytes), "\(line)")
        }
    }

    @Test func generatedBarsReadTheSameBothWays() throws {
        let seed: UInt64 = 0x5EED_BA25
        print("generatedBarsReadTheSameBothWays seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<10_000 {
            let line = QuoteGenerator.bar(&random)
            let bytes = Array(line.utf8)
            #expect(scan(line).kind == .bar, "\(line)")
            #expect(try scanned(bytes) == EADecoder.decode(bytes), "\(line)")
        }
    }
}

/// Lines as 2.x writes them, with every value drawn and fields in any order.
private enum QuoteGenerator {
    static let symbols = ["EURUSD", "XAUUSDm", "EURUSD.r", "#US30", "USDJPY", "BTCUSD", "_x", "GBP/JPY"]

    static func price(_ random: inout SeededGenerator) -> String {
        let decimals = Int.random(in: 0...8, using: &random)
        let whole = Int.random(in: 1...99_999_999, using: &random) >> Int.random(in: 0...26, using: &random)
        guard decimals > 0 else { return String(max(1, whole)) }
        // The last digit is never 0 alone, so that no price is zero.
        let fraction = (0..<decimals).map { _ in String(Int.random(in: 1...9, using: &random)) }.joined()
        return "\(whole).\(fraction)"
    }

    static func ids(_ random: inout SeededGenerator) -> [String] {
        var fields: [String] = []
        if Int.random(in: 0..<8, using: &random) > 0 {
            fields.append(#""node_id":"NODE_\#(random.next() % 100_000_000)_\#(random.next() >> 32)""#)
        }
        if Int.random(in: 0..<8, using: &random) > 0 {
            fields.append(#""user_uuid":"user_\#(random.next())""#)
        }
        return fields
    }

    static func time(_ random: inout SeededGenerator) -> String {
        let seconds = Int64.random(in: 1_500_000_000...1_900_000_000, using: &random)
        return Bool.random(using: &random) ? "\"\(Timestamp.brokerText(seconds: seconds))\"" : String(seconds)
    }

    static func quote(_ random: inout SeededGenerator) -> String {
        var fields = [#""type":"TICK""#] + ids(&random)
        fields.append(#""symbol":"\#(symbols.randomElement(using: &random) ?? "EURUSD")""#)
        fields.append(#""bid":\#(price(&random))"#)
        fields.append(#""ask":\#(price(&random))"#)
        fields.append(#""spread":\#(price(&random)),"volume":\#(random.next() >> 40)"#)
        fields.append(#""timestamp":\#(time(&random))"#)
        return "{\(fields.shuffled(using: &random).joined(separator: ","))}"
    }

    static func bar(_ random: inout SeededGenerator) -> String {
        var fields = [#""type":"OHLC""#] + ids(&random)
        fields.append(#""symbol":"\#(symbols.randomElement(using: &random) ?? "EURUSD")""#)
        fields.append(#""timeframe":"\#(["M1", "M5", "M15"].randomElement(using: &random) ?? "M1")""#)
        fields.append(#""time":\#(Int64.random(in: 1_500_000_000...1_900_000_000, using: &random))"#)
        for name in ["open", "high", "low", "close"] { fields.append(#""\#(name)":\#(price(&random))"#) }
        fields.append(#""timestamp":\#(time(&random))"#)
        return "{\(fields.shuffled(using: &random).joined(separator: ","))}"
    }
}
