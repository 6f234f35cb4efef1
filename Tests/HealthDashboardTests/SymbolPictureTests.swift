import Testing
import Wire

@testable import HealthDashboard

@Suite("The market picture of a symbol")
struct SymbolPictureTests {
    private func bar(_ minute: Int, _ close: String) throws -> JSON {
        try JSON("[\(minute * 60_000),1.46,1.4602,1.4599,\(close),7,\"ticks\"]")
    }

    @Test("A minute is told once, also when its bar is closed and still the open one; the whole one is told")
    func minuteOnce() throws {
        let closed = try [bar(1, "1.46"), bar(2, "1.4601")]
        for (minute, count) in [(1, 2), (2, 2), (3, 3)] {
            let bars = try SymbolPicture.bars(closed: closed, open: bar(minute, "1.4602"), decimals: 5)
            #expect(bars.count == count, "open bar of minute \(minute)")
            #expect(bars[1].object?["close"]?.text == "1.4601")
        }
        #expect(try SymbolPicture.bars(closed: [], open: bar(1, "1.46"), decimals: nil).count == 1)
        #expect(SymbolPicture.bars(closed: [.null, try? JSON("[1]")], open: nil, decimals: 5).isEmpty)
    }

    @Test("Prices have the decimals of a price between bid and ask, whatever a binary fraction prints")
    func decimals() throws {
        let bars = try SymbolPicture.bars(closed: [bar(1, "1.4600199999999999")], open: nil, decimals: 5)
        #expect(bars[0].object?["close"]?.text == "1.46002")
        let half = try SymbolPicture.bars(closed: [bar(1, "1.460025")], open: nil, decimals: 5)
        #expect(half[0].object?["close"]?.text == "1.460025")
        let unknown = try SymbolPicture.bars(closed: [bar(1, "1.4600199999999999")], open: nil, decimals: nil)
        #expect(unknown[0].object?["close"]?.text == "1.4600199999999999")
    }
}
