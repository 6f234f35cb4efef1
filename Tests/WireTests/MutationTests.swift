import Domain
import Testing
import Wire

/// Golden lines with bytes changed, cut, doubled and crossed: never a crash, and the two readers never disagree.
@Suite struct MutationTests {
    private static let reasons: Set<String> = [
        "empty_frame", "not_json", "truncated", "too_deep", "not_a_number", "not_an_object", "missing_field",
        "bad_value",
        "too_long",
    ]
    private static let pieces = [
        "\"", "\\", "{", "}", "[", "]", ",", ":", "\0", "\n", " ", "-", ".", "e9", "nan", "null", "true", "\"bid\":0",
        "\\u0000", "\\ud800", "é", "TICK ", "OHLC ", "HEARTBEAT", "99999999999999999999", "1e999", "[[[[[[[[[[[[[[[[[",
    ].map { Array($0.utf8) }

    private func mutate(_ line: [UInt8], _ other: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = line
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...9, using: &random)))
            case 3: bytes.insert(contentsOf: MutationTests.pieces.randomElement(using: &random) ?? [], at: place)
            case 4: bytes = Array(bytes.prefix(place))
            case 5: bytes = bytes.prefix(place) + other.suffix(Int.random(in: 0...other.count, using: &random))
            default: bytes.insert(contentsOf: bytes.prefix(place).suffix(24), at: place)
            }
        }
        return bytes
    }

    @Test func everyMutationIsAMessageOrAReject() {
        let seed: UInt64 = 0x0DD_BA11
        print("everyMutationIsAMessageOrAReject seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let lines = Golden.all.map { Array($0.text.utf8) }
        var messages = 0
        var rejects: [String: Int] = [:]
        var scans = 0
        for round in 0..<100_000 {
            let line = lines[round % lines.count]
            let bytes = mutate(line, lines[Int.random(in: 0..<lines.count, using: &random)], &random)
            let scan = scanned(bytes)
            if scan != nil { scans += 1 }
            do throws(EAReject) {
                let message = try EADecoder.decode(bytes)
                messages += 1
                if let scan, scan != message {
                    Issue.record("readers disagree: \(String(decoding: bytes, as: UTF8.self))")
                }
            } catch {
                rejects[error.reason, default: 0] += 1
                if scan != nil { Issue.record("scanned but rejected: \(String(decoding: bytes, as: UTF8.self))") }
                if !MutationTests.reasons.contains(error.reason) { Issue.record("unknown reason \(error.reason)") }
                if error.detail.isEmpty || error.detail.count > 200 { Issue.record("odd detail \(error.detail)") }
            }
        }
        print("messages \(messages), scans \(scans), rejects \(rejects.sorted { $0.key < $1.key })")
        // The mutations must reach both sides, or the test tests nothing.
        #expect(messages > 5_000 && scans > 300 && rejects.count >= 7)
    }

    /// Quotes only, one small change each: where scan and decoder could drift apart.
    @Test func nearlyProperQuotesNeverReadDifferently() {
        let seed: UInt64 = 0xBADC_0DE
        print("nearlyProperQuotesNeverReadDifferently seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let lines = [Golden.tick2x, Golden.ohlc2x, Golden.tick701].map { Array($0.utf8) }
        var scans = 0
        for round in 0..<100_000 {
            var bytes = lines[round % lines.count]
            let place = Int.random(in: 0..<bytes.count, using: &random)
            bytes[place] = UInt8.random(in: 0x20...0x7E, using: &random)
            guard let scan = scanned(bytes) else { continue }
            scans += 1
            do throws(EAReject) {
                let message = try EADecoder.decode(bytes)
                if scan != message { Issue.record("readers disagree: \(String(decoding: bytes, as: UTF8.self))") }
            } catch {
                Issue.record("scanned but rejected: \(String(decoding: bytes, as: UTF8.self))")
            }
        }
        #expect(scans > 10_000)
    }
}
