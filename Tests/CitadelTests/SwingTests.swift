import Foundation
import Testing

@testable import Citadel

@Suite("Swings")
struct SwingTests {
    private func bar(_ index: Int, high: Double, low: Double) -> Bar {
        Bar(
            startMilliseconds: Drawn.start + Int64(index) * 300_000, open: low, high: high, low: low, close: high,
            volume: 1, origin: .ticks)
    }

    @Test("a swing is unknown until five more bars have closed")
    func confirmedLate() {
        var detector = SwingDetector()
        var found: [Int: SwingChange] = [:]
        for index in 0..<40 {
            let away = Double(abs(index - 20))
            if let change = detector.append(bar(index, high: 10 - away * 0.1, low: 9 - away * 0.1)) {
                found[index] = change
            }
        }
        #expect(found.keys.sorted() == [25])
        #expect(
            found[25]
                == .found(Swing(kind: .high, price: 10, barStart: Drawn.start + 20 * 300_000, index: 20)))
    }

    @Test("of neighbours of one kind the strongest stays, on a tie the first")
    func neighbours() {
        var detector = SwingDetector()
        var swings: [Swing] = []
        // Three highs without a low between them (lows only rise): 5.0, 5.0, 6.0.
        var peaks: [Int: Double] = [12: 5.0, 20: 5.0, 28: 6.0]
        for index in 0..<36 {
            let high = peaks.removeValue(forKey: index) ?? 4.0 + Double(index) * 0.001
            switch detector.append(bar(index, high: high, low: 1 + Double(index) * 0.01)) {
            case .found(let swing): swings.append(swing)
            case .replaced(let old, let new):
                #expect(swings.popLast() == old)
                swings.append(new)
            case nil: break
            }
        }
        #expect(swings.filter { $0.kind == .high }.map(\.index) == [28])
    }

    @Test(
        "the swings of the reference file, bar by bar, as MANIFEST rules 1 to 3 expect them",
        .enabled(
            if: RealData.has("smc/EURUSD_15M.csv") && RealData.has("smc/swing_highs_lows_result_data.csv"),
            "needs ../shared/data/smc beside the checkout"))
    func goldenFile() throws {
        func rows(_ name: String) throws -> [[Substring]] {
            try String(contentsOf: RealData.file(name), encoding: .utf8)
                .split(whereSeparator: \.isNewline).dropFirst()
                .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        }
        let bars = try rows("smc/EURUSD_15M.csv")
        let expected = try rows("smc/swing_highs_lows_result_data.csv")
        #expect(bars.count == 24_424 && expected.count == bars.count)

        var detector = SwingDetector()
        var swings: [Swing] = []
        for (index, row) in bars.enumerated() {
            let high = try #require(Double(row[2]))
            let low = try #require(Double(row[3]))
            switch detector.append(bar(index, high: high, low: low)) {
            case .found(let swing): swings.append(swing)
            case .replaced(_, let new): swings[swings.count - 1] = new
            case nil: break
            }
        }
        var kinds = [Int](repeating: 0, count: bars.count)
        var levels = [Double](repeating: 0, count: bars.count)
        for swing in swings {
            kinds[swing.index] = swing.kind == .high ? 1 : -1
            levels[swing.index] = swing.price
        }
        // Rule 3 forces both ends; it belongs to the file, not to the detector.
        kinds[0] = swings.first?.kind == .high ? -1 : 1
        kinds[bars.count - 1] = swings.last?.kind == .high ? -1 : 1
        var differences = 0
        var set = 0
        for (index, row) in expected.enumerated() {
            let kind = Double(row[0]).map { Int($0) } ?? 0
            set += kind == 0 ? 0 : 1
            if kind != kinds[index] { differences += 1 }
            guard kind != 0, index != 0, index != bars.count - 1 else { continue }
            if abs((Double(row[1]) ?? 0) - levels[index]) > 1e-6 { differences += 1 }
        }
        print("golden swings: \(set) expected, \(differences) differences")
        #expect(set == 2_708)
        #expect(differences == 0)
    }
}
