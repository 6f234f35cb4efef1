import Domain
import Testing

@Suite struct InstrumentCatalogueTests {
    private let catalogue = InstrumentCatalogue(
        instruments: ["EURUSD", "EURJPY", "XAUUSD", "US30", "US500", "US50", "GER40"].map(
            InstrumentCatalogueTests.instrument),
        aliases: ["GOLD": "XAUUSD", "DE40": "GER40"])

    private static func instrument(_ symbol: String) -> Instrument {
        Instrument(
            symbol: symbol, kind: .other, digits: 5, pip: Amount(1), contractSize: Amount(100_000),
            quoteCurrency: "USD",
            lotStep: Amount(1), minimumLot: Amount(1), maximumLot: Amount(1))
    }

    @Test(arguments: [
        ("EURUSD", "EURUSD"), ("eurusd", "EURUSD"), ("EURUSD.r", "EURUSD"), ("EURUSDm", "EURUSD"),
        ("EURUSD_i", "EURUSD"),
        ("EURUSD.ecn.2", "EURUSD"), ("EURUSDpro", "EURUSD"), ("#EURUSD", "EURUSD"), ("GOLD#", "XAUUSD"),
        ("gold", "XAUUSD"),
        ("#US30", "US30"), ("US30.cash", "US30"), ("US500", "US500"), ("US500.x", "US500"), ("DE40", "GER40"),
    ])
    func brokersNames(name: String, canonical: String) {
        #expect(catalogue.canonical(name) == canonical)
        #expect(catalogue.instrument(for: name)?.symbol == canonical)
    }

    @Test(arguments: ["US5000", "EURUSD2", "GBPUSD", "EU", "", "#", "EURUSDabcdef", "é", "US501"])
    func whatIsUnknownKeepsItsName(name: String) {
        #expect(catalogue.canonical(name) == name)
        #expect(catalogue.instrument(for: name) == nil)
    }
}

@Suite struct DirectionTests {
    @Test(arguments: [
        ("BUY", Direction.buy), ("buy", .buy), ("Long", .buy), ("SELL", .sell), ("sell", .sell), ("short", .sell),
    ])
    func spellings(text: String, direction: Direction) {
        #expect(Direction(wire: text) == direction)
    }

    @Test(arguments: ["", "0", "BUY ", "hold"])
    func othersAreNone(text: String) {
        #expect(Direction(wire: text) == nil)
    }
}
