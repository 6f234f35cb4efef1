import Domain
import Fleet

/// The markets terminals watch, from what the registry keeps of them; most of a fleet watch the same.
final class MarketReader {
    private struct Key: Hashable {
        let chart: String?
        let list: String?
        let count: String?
    }

    private static let remembered = 2_000
    private let catalogue: InstrumentCatalogue
    private var known: [Key: WatchedMarkets] = [:]

    init(_ catalogue: InstrumentCatalogue) { self.catalogue = catalogue }

    /// - Parameter texts: fields of a node's hash by their names.
    func markets(_ texts: [String: String]) -> WatchedMarkets {
        let key = Key(chart: texts["chart_symbol"], list: texts["symbols"], count: texts["monitored_symbols"])
        if let found = known[key] { return found }
        let count = key.count.flatMap { Int($0) }
        let found = WatchedMarkets(chart: key.chart, list: key.list, count: count, catalogue: catalogue)
        if known.count >= MarketReader.remembered { known = [:] }
        known[key] = found
        return found
    }
}
