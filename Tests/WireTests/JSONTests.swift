import Testing
import Wire

@Suite struct JSONTests {
    private func error(_ text: String) -> JSONError? {
        do throws(JSONError) {
            _ = try JSON(text)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "null", "true", "false", "0", "-0", "-0.00", "1.17620", "1e5", "1E+5", "12.5e-3", "\"\"", "\"a b\"", "[]", "{}",
        #"{"a":1,"b":[1,2,{"c":null}],"d":"x"}"#, #"{"a":1,"a":2}"#, "[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]",
    ])
    func whatIsCompactComesBackAsItWas(text: String) throws {
        #expect(try JSON(text).compactText == text)
    }

    @Test func spaceBetweenTokensIsNothing() throws {
        #expect(try JSON(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n").compactText == #"{"a":[1,2]}"#)
    }

    @Test(arguments: [
        ("", JSONError.Code.empty, 0), ("  ", .empty, 0), ("{", .truncated, 1), ("[1,", .truncated, 3),
        ("\"abc", .truncated, 4), (#""\"#, .truncated, 2), (#""\u12"#, .truncated, 5), ("tru", .truncated, 3),
        ("[1,]", .unexpected, 3), (#"{"a":1,}"#, .unexpected, 7), ("{a:1}", .unexpected, 1), ("trux", .unexpected, 3),
        ("01", .trailing, 1), ("1 2", .trailing, 2), ("+1", .unexpected, 0), (".5", .unexpected, 0),
        ("1.", .truncated, 2), ("1e", .truncated, 2), ("-", .truncated, 1), ("[1.]", .unexpected, 1),
        ("[-]", .unexpected, 1), (#""\x""#, .unexpected, 2),
        (#""\u+123""#, .unexpected, 3), (#""\u 123""#, .unexpected, 3), ("nan", .notANumber, 0),
        ("[-nan(ind)]", .notANumber, 1), ("NaN", .notANumber, 0), ("Infinity", .notANumber, 0),
        ("-inf", .notANumber, 0),
        ("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", .tooDeep, 16),
    ])
    func whatIsNoJSONSaysWhereAndWhy(text: String, code: JSONError.Code, offset: Int) {
        let found = error(text)
        #expect(found?.code == code && found?.offset == offset)
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""\ud83d\ude00""#, "😀"),
        (#""\ud83d""#, "\u{FFFD}"), (#""\ude00x""#, "\u{FFFD}x"), (#""\u0000""#, "\0"),
    ])
    func escapes(text: String, value: String) throws {
        #expect(try JSON(text) == .string(value))
    }

    @Test func controlCharactersAreWrittenEscaped() {
        #expect(JSON.string("a\"b\\c\n\t\r\u{1}\u{7F}é").compactText == #""a\"b\\c\n\t\r\u0001\u007fé""#)
    }

    @Test func bytesOfACodePageAreText() throws {
        #expect(try JSON([0x22, 0xE9, 0x22]) == .string("é"))
    }

    @Test func numbersStayTheTextTheyCameAs() throws {
        #expect(try JSON("1.10") == .number("1.10"))
        #expect(try JSON("123456789012345678901234567890.10").text == "123456789012345678901234567890.10")
    }

    @Test func ofARepeatedNameTheFirstCounts() throws {
        #expect(try JSON(#"{"a":1,"a":2}"#).object?["a"] == .number("1"))
    }

    @Test func fieldsAreSetRemovedAndKeepTheirOrder() {
        var object: JSONObject = ["b": .integer(1), "a": .text("x")]
        object["c"] = .bool(true)
        object["b"] = .decimal("2.50")
        object["a"] = nil
        #expect(object.compactText == #"{"b":2.50,"c":true}"#)
    }

    @Test(arguments: [("1", true), ("-1.5e+3", true), ("", false), ("1x", false), ("nan", false), ("01", false)])
    func numbersByTheGrammar(text: String, isNumber: Bool) {
        #expect(JSON.isNumber(text) == isNumber)
        #expect(JSON.decimal(text) == (isNumber ? .number(text) : .null))
    }

    @Test func generatedValuesComeBack() throws {
        let seed: UInt64 = 0x15_0F
        print("generatedValuesComeBack seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5_000 {
            let value = generate(&random, depth: 0)
            #expect(try JSON(value.bytes) == value)
        }
    }

    private func generate(_ random: inout SeededGenerator, depth: Int) -> JSON {
        switch Int.random(in: 0..<(depth < 5 ? 7 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .integer(Int64.random(in: .min ... .max, using: &random))
        case 3, 4: return .string(text(&random))
        case 5:
            return .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in generate(&random, depth: depth + 1) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<5, using: &random) {
                object.append(text(&random), generate(&random, depth: depth + 1))
            }
            return .object(object)
        }
    }

    private func text(_ random: inout SeededGenerator) -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<12, using: &random) {
            let bits = Int.random(in: 1...20, using: &random)
            if let scalar = Unicode.Scalar(UInt32.random(in: 0..<(1 << UInt32(bits)), using: &random)) {
                scalars.append(scalar)
            }
        }
        return String(scalars)
    }
}

@Suite struct ForeignTextTests {
    private func decode(_ bytes: [UInt8]) -> String { bytes.withUnsafeBufferPointer { ForeignText.decode($0) } }

    @Test func utf8IsTakenAsItIs() {
        #expect(decode(Array("Société 表 😀".utf8)) == "Société 表 😀")
        #expect(decode([]).isEmpty)
    }

    @Test func otherBytesAreWindows1252() {
        #expect(decode([0x43, 0x61, 0x66, 0xE9]) == "Café")
        #expect(decode([0x80, 0x99, 0xFF]) == "€™ÿ")
    }

    @Test func everyByteHasAMeaning() {
        for byte in UInt8.min...UInt8.max {
            let text = decode([byte, 0xFF])
            #expect(text.unicodeScalars.count == 2 && !text.contains("\u{FFFD}"))
        }
    }
}
