import Domain
import Testing

@Suite struct PositionKeyTests {
    @Test func spelling() {
        let key = PositionKey(server: "Coinexx-Demo", account: "843859", ticket: 21_604_324)
        #expect(key.description == "Coinexx-Demo|843859|21604324")
        #expect(key.accountKey == "Coinexx-Demo|843859")
    }

    @Test func partsCannotForgeAnother() {
        let key = PositionKey(server: "a|1", account: "%7C\n", ticket: 2)
        #expect(key.description == "a%7C1|%257C%0A|2")
        #expect(PositionKey(key.description) == key)
    }

    @Test(arguments: ["", "a|b", "a|b|c", "a|b|1|2", "a|b|", "a|b|1.0", "a|b|99999999999999999999"])
    func whatIsNoKeyIsNil(text: String) {
        #expect(PositionKey(text) == nil)
    }

    @Test(arguments: [("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%+F", "%+F"), ("%41", "A"), ("%c3%a9", "é")])
    func decodingForgivesWhatIsNoEscape(text: String, decoded: String) {
        #expect(KeyPart.decode(text) == decoded)
    }

    @Test func everyKeyComesBack() {
        let seed: UInt64 = 41
        print("everyKeyComesBack seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let alphabet: [Character] = ["a", "Z", "0", "|", "%", " ", "\n", "\u{7F}", "é", "表", "😀", "*", "-", "\0"]
        for _ in 0..<10_000 {
            let parts = (0..<2).map { _ in
                String(
                    (0..<Int.random(in: 0...8, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "a"
                    })
            }
            let key = PositionKey(server: parts[0], account: parts[1], ticket: Int64(bitPattern: random.next()))
            #expect(PositionKey(key.description) == key)
            #expect(!key.description.unicodeScalars.contains { $0.value < 0x21 })
        }
    }
}
