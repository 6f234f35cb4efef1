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
}
