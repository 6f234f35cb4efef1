import Citadel
import ServiceKit

/// The engine's list of symbols, made anew at most ten times a second: it is asked for far more often than it changes.
/// The engine is only looked at when it is made anew, because handing it over would copy it.
struct SummaryCache {
    private static let lifetime: Int64 = 100
    private static let openEvery: Int64 = 60_000
    private var made: Int64 = .min
    private var summaries: [SymbolSummary] = []
    private var places: [String: Int] = [:]
    private var saved: [String: (at: Int64, ticks: Int)] = [:]

    mutating func list(_ engine: @autoclosure () -> CitadelEngine) -> [SymbolSummary] {
        refresh(engine)
        return summaries
    }

    mutating func price(of symbol: String, _ engine: @autoclosure () -> CitadelEngine) -> MarketPrice? {
        refresh(engine)
        return places[symbol].flatMap { MarketPrice(summaries[$0]) }
    }

    /// Decimals of a symbol's prices; nil where no quote of it was seen.
    mutating func digits(of symbol: String, _ engine: @autoclosure () -> CitadelEngine) -> Int? {
        refresh(engine)
        return places[symbol].map { summaries[$0].profile.digits }
    }

    private mutating func refresh(_ engine: () -> CitadelEngine) {
        let now = SystemClock.monotonicMilliseconds()
        if made != .min, now - made < SummaryCache.lifetime { return }
        made = now
        let fresh = engine().symbols
        if fresh.count != summaries.count {
            places = Dictionary(fresh.enumerated().map { ($1.profile.symbol, $0) }) { first, _ in first }
        }
        summaries = fresh
    }

    /// Whether a symbol's open bars are to be saved now: once a minute while quotes come.
    mutating func isDue(_ symbol: String, now: Int64, ticksUsed: Int) -> Bool {
        if let last = saved[symbol], now - last.at < SummaryCache.openEvery || last.ticks == ticksUsed { return false }
        saved[symbol] = (now, ticksUsed)
        return true
    }
}
