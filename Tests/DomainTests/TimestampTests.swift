import Domain
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00.000Z", 0), ("2025-09-15T16:39:23.000Z", 1_757_954_363_000),
        ("2000-02-29T23:59:59.999Z", 951_868_799_999), ("1969-12-31T23:59:59.999Z", -1),
        ("2100-03-01T00:00:00.000Z", 4_107_542_400_000),
    ])
    func textOfAMoment(text: String, milliseconds: Int64) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
        if milliseconds >= 0 { #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds) }
    }

    @Test(arguments: [
        ("2025-09-15T16:39:23Z", 1_757_954_363_000), ("2025-09-15t16:39:23z", 1_757_954_363_000),
        ("2025-09-15 16:39:23.5Z", 1_757_954_363_500), ("2025-09-15T16:39:23.123456789Z", 1_757_954_363_123),
        ("2025-09-15T19:39:23+03:00", 1_757_954_363_000), ("2025-09-15T12:09:23.25-04:30", 1_757_954_363_250),
        ("2025-09-15T16:39:23+00:00", 1_757_954_363_000),
    ])
    func spellingsOfAMoment(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "2025-09-15", "2025-09-15T16:39:23", "2025-09-15T16:39:23Zx", "2025-09-15T16:39:23.Z",
        "2025-09-15T16:39:23+3",
        "2025-09-15T16:39:23+03-00", "2025-09-15T16:39:23+24:00", "2025-09-15T16:39:23+03:60", "2025-02-29T00:00:00Z",
        "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-01-00T00:00:00Z", "2025-01-32T00:00:00Z",
        "2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z", "2025.09.15T16:39:23Z", "2025-09-15T16:39:23.5",
        "x025-09-15T16:39:23Z",
        "１025-09-15T16:39Z",
    ])
    func whatIsNoMomentIsNil(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func brokerReadings() {
        #expect(Timestamp.brokerSeconds("2025.09.15 19:39:23") == 1_757_965_163)
        #expect(Timestamp.brokerText(seconds: 1_757_965_163) == "2025.09.15 19:39:23")
        #expect(Timestamp.brokerSeconds("2024.02.29 00:00:00") == 1_709_164_800)
        for text in [
            "2025.02.29 00:00:00", "2025-09-15 19:39:23", "2025.09.15T19:39:23", "2025.09.15 19:39", "",
            "1900.01.01 00:00:00",
        ] {
            #expect(Timestamp.brokerSeconds(text) == nil)
        }
    }

    @Test func everyDayComesBack() {
        for day in stride(from: Int64(0), to: 60_000, by: 1) {
            let seconds = day * 86_400 + day % 86_400
            #expect(Timestamp.brokerSeconds(Timestamp.brokerText(seconds: seconds)) == seconds)
        }
    }

    @Test func momentsComeBack() {
        let seed: UInt64 = 21
        print("momentsComeBack seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let moment = Timestamp(milliseconds: Int64.random(in: 0..<253_402_300_800_000, using: &random))
            #expect(Timestamp(rfc3339: moment.description) == moment)
        }
    }

    @Test func theEndsOfTheRangeDoNotTrap() {
        let last = Timestamp(milliseconds: .max)
        let first = Timestamp(milliseconds: .min)
        #expect(Timestamp(seconds: .max) == last && Timestamp(seconds: .min) == first)
        #expect(last - first == .max && first - last == .min)
        #expect(last.adding(milliseconds: 1) == last && first.adding(milliseconds: -1) == first)
        #expect(first < last && !last.description.isEmpty && !first.description.isEmpty)
        #expect(
            Timestamp(seconds: 5).seconds == 5 && Timestamp(seconds: 5).adding(milliseconds: 1).milliseconds == 5001)
    }
}
