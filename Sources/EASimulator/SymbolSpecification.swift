import Domain

/// What a broker says of a symbol, and how its price usually behaves.
struct SymbolSpecification: Sendable {
    let name: String
    /// SYMBOL_DIGITS.
    var digits: Int
    /// Units of the base in one lot.
    let contractSize: Amount
    let quoteCurrency: String
    /// Where a random walk starts, and what a conversion uses while nothing is quoted.
    let referencePrice: Double
    /// In points.
    let spread: Double
    /// Standard deviation of one second's move, relative to the price.
    let volatility: Double
    /// Milliseconds between quotes, on average.
    let meanInterval: Double

    /// The minimum and the step of a lot; MetaTrader rejects what is no multiple.
    static let lotStep = Amount(units: Amount.unitsPerOne / 100)
    static let maximumLot = Amount(100)

    var point: Amount { Amount(units: SymbolSpecification.pointUnits(digits: digits)) }

    var reference: Amount { amount(points: referencePrice / SymbolSpecification.pointSize(digits: digits)) }

    /// A price given in points, rounded to whole ones.
    func amount(points: Double) -> Amount {
        let bounded = max(1, min(points.rounded(), 1e11))
        return Amount(units: Int64(bounded) * SymbolSpecification.pointUnits(digits: digits))
    }

    static func pointUnits(digits: Int) -> Int64 {
        (0..<(8 - max(0, min(8, digits)))).reduce(Int64(1)) { value, _ in value * 10 }
    }

    static func pointSize(digits: Int) -> Double {
        Double(pointUnits(digits: digits)) / Double(Amount.unitsPerOne)
    }

    /// A price difference in points: what EAs send as `spread`.
    static func points(_ difference: Amount, digits: Int) -> Amount {
        difference * Amount(units: Amount.unitsPerOne / pointUnits(digits: digits) * Amount.unitsPerOne)
    }

    /// A symbol by its canonical name; unknown ones get a currency pair's usual properties.
    static func named(_ name: String) -> SymbolSpecification {
        if let known = known[name] { return known }
        let isYen = name.hasSuffix("JPY")
        return SymbolSpecification(
            name: name, digits: isYen ? 3 : 5, contractSize: Amount(100_000),
            quoteCurrency: name.count == 6 ? String(name.suffix(3)) : "USD", referencePrice: isYen ? 100 : 1,
            spread: 20, volatility: 3e-5, meanInterval: 1200)
    }

    /// Whether the table knows it, so that its reference price means something.
    var isListed: Bool { SymbolSpecification.known[name] != nil }

    static let defaultNames = [
        "EURUSD", "GBPUSD", "USDJPY", "USDCHF", "AUDUSD", "NZDUSD", "USDCAD", "EURJPY", "GBPJPY", "EURGBP", "AUDJPY",
        "EURAUD", "XAUUSD", "XAGUSD", "US30",
    ]

    private static let known: [String: SymbolSpecification] = {
        typealias Row = (name: String, digits: Int, price: Double, spread: Double, interval: Double)
        let pairs: [Row] = [
            ("EURUSD", 5, 1.17620, 2, 600), ("GBPUSD", 5, 1.34650, 4, 700), ("USDJPY", 3, 147.366, 3, 700),
            ("USDCHF", 5, 0.80520, 5, 2600), ("AUDUSD", 5, 0.64280, 3, 1300), ("NZDUSD", 5, 0.58182, 4, 1800),
            ("USDCAD", 5, 1.38810, 5, 1400), ("EURJPY", 3, 171.674, 5, 900), ("GBPJPY", 3, 198.264, 14, 900),
            ("EURGBP", 5, 0.86541, 3, 2000), ("AUDJPY", 3, 95.236, 6, 1400), ("NZDJPY", 3, 86.120, 8, 1900),
            ("EURAUD", 5, 1.81200, 12, 1500), ("GBPCAD", 5, 1.86470, 9, 1700), ("USDCNH", 5, 7.18030, 150, 2400),
            ("USDMXN", 5, 18.68000, 900, 2200), ("USDSEK", 5, 9.58740, 1100, 1600),
        ]
        typealias Other = (
            name: String, digits: Int, price: Double, spread: Double, interval: Double, contract: Int,
            volatility: Double
        )
        let others: [Other] = [
            ("XAUUSD", 2, 3341.50, 18, 500, 100, 5e-5), ("XAGUSD", 3, 37.905, 25, 1100, 5000, 8e-5),
            ("US30", 1, 44_830.0, 22, 800, 1, 4e-5), ("US500", 1, 6420.0, 5, 800, 1, 4e-5),
            ("NAS100", 1, 23_450.0, 12, 700, 1, 6e-5), ("GER40", 1, 24_320.0, 12, 900, 1, 5e-5),
            ("UK100", 1, 9280.0, 12, 1400, 1, 4e-5), ("USOIL", 2, 63.20, 3, 1300, 1000, 9e-5),
            ("BTCUSD", 2, 113_250.0, 1800, 600, 1, 1.2e-4), ("ETHUSD", 2, 4280.0, 180, 700, 1, 1.5e-4),
            ("XRPUSD", 5, 2.93052, 640, 1500, 1, 1.5e-4),
        ]
        let currencyPairs = pairs.map { row in
            SymbolSpecification(
                name: row.name, digits: row.digits, contractSize: Amount(100_000),
                quoteCurrency: String(row.name.suffix(3)), referencePrice: row.price, spread: row.spread,
                volatility: 3e-5, meanInterval: row.interval)
        }
        let instruments = others.map { row in
            let currency = ["GER40": "EUR", "UK100": "GBP"][row.name] ?? "USD"
            return SymbolSpecification(
                name: row.name, digits: row.digits, contractSize: Amount(row.contract), quoteCurrency: currency,
                referencePrice: row.price, spread: row.spread, volatility: row.volatility, meanInterval: row.interval)
        }
        return Dictionary((currencyPairs + instruments).map { ($0.name, $0) }) { first, _ in first }
    }()
}
