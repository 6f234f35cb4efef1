import Domain
import Testing

@testable import EASimulator

@Suite("Commands are read as EAs read them")
struct CommandTextTests {
    private func command(_ text: String) -> CommandText { CommandText(frame: Array(text.utf8)) }

    @Test("the first key counts, nested or not")
    func firstKey() {
        let text = #"{"payload":{"symbol":"EURUSD"},"symbol":"GBPUSD"}"#
        #expect(command(text).value("symbol") == "EURUSD")
    }

    @Test("a space before the colon hides a key, one behind it does not")
    func spaces() {
        #expect(command(#"{"lot" : 0.10}"#).value("lot") == "")
        #expect(command(#"{"lot": \#t0.10}"#).amount("lot") == amount("0.1"))
    }

    @Test("a string ends at the first quote, escaped or not")
    func escapes() {
        #expect(command(#"{"fire_id":"a\"b","x":1}"#).value("fire_id") == #"a\"#)
    }

    @Test("numbers end at comma, brace or bracket; quoted ones count too")
    func numbers() {
        #expect(command(#"{"ticket":"3009424165"}"#).integer("ticket") == 3_009_424_165)
        #expect(command(#"{"ticket":12,"x":1}"#).integer("ticket") == 12)
        #expect(command(#"{"t":[7]}"#).value("t") == "[7")
        #expect(command(#"{"sl":1.0850abc}"#).amount("sl") == amount("1.085"))
        #expect(command(#"{"sl":nothing}"#).amount("sl") == .zero)
        #expect(command(#"{"ticket":-5}"#).integer("ticket") == -5)
        #expect(command(#"{"ticket":99999999999999999999}"#).integer("ticket") == .max)
    }

    @Test("a frame longer than the buffer is cut")
    func cut() {
        let padding = String(repeating: " ", count: 4096 - 16)
        let text = #"{"type":"fire","# + padding + #""symbol":"EURUSD"}"#
        #expect(command(text).value("type") == "fire")
        #expect(command(text).value("symbol") == "")
        #expect(command(text).bytes.count == CommandText.bufferSize)
    }

    @Test("7.01 also ends a number at a space")
    func executorNumbers() {
        let text = CommandText(frame: Array(#"{"lot":0.10 ,"x":1}"#.utf8), endsNumbersAtSpace: true)
        #expect(text.value("lot") == "0.10")
    }
}

@Suite("Numbers and text as terminals print them")
struct PrintingTests {
    @Test(
        "fixed decimals",
        arguments: [
            ("147.366", 5, "147.36600"), ("-12.3", 2, "-12.30"), ("0", 5, "0.00000"), ("-0.00000001", 2, "-0.00"),
            ("0.09447600", 2, "0.09"), ("1.176205", 5, "1.17621"), ("44823.8", 1, "44823.8"), ("3678.55", 0, "3679"),
        ])
    func decimals(value: String, places: Int, expected: String) {
        #expect(String(decoding: DecimalText.fixed(amount(value), decimals: places), as: UTF8.self) == expected)
    }

    @Test("points, not pips")
    func spread() {
        #expect(SymbolSpecification.points(amount("0.17"), digits: 2) == Amount(17))
        #expect(SymbolSpecification.points(amount("0.00003"), digits: 5) == Amount(3))
    }

    @Test("names in the terminal's code page")
    func codePages() throws {
        let expected: [UInt8] = Array("Soci".utf8) + [0xE9, 0x74, 0xE9, 0x20, 0x3F]
        #expect(try CodePage("CP1252").encode("Société ☂").bytes == expected)
        // The second byte of 表 in Japanese Windows is a backslash.
        #expect(try CodePage("CP932").encode("表").bytes == [0x95, 0x5C])
        #expect(throws: SimulatorError.self) { try CodePage("CP-nonsense") }
    }
}
