import Citadel
import Domain
import ServiceKit
import Wire

/// What was read of one symbol and what came of it.
struct SymbolFigures {
    private(set) var ticks = 0
    private(set) var from = Int64.max
    private(set) var to = Int64.min
    var bars = 0
    private(set) var sweeps = 0
    private(set) var manipulations = 0
    private(set) var sourceSwitches = 0
    private(set) var born = 0
    private(set) var taken = 0
    private(set) var broken = 0
    private(set) var expired = 0
    private(set) var evicted = 0

    mutating func take(_ milliseconds: Int64) {
        ticks += 1
        from = min(from, milliseconds)
        to = max(to, milliseconds)
    }

    /// The same events as the engine's counters of these names.
    mutating func take(_ output: CitadelOutput) {
        switch output {
        case .sweep: sweeps += 1
        case .manipulation: manipulations += 1
        case .sourceSwitched: sourceSwitches += 1
        case .levelChanged(let change):
            switch change.kind {
            case .born: born += 1
            case .taken: taken += 1
            case .broken: broken += 1
            case .expired: if change.level.taken == nil { expired += 1 }
            case .evicted: evicted += 1
            case .joined, .touched, .swept: break
            }
        case .signalPublished, .signalUpdated, .barClosed, .historyRebuilt: break
        }
    }

    /// What a summary says of the events.
    var events: JSONObject {
        [
            "sweeps": .integer(sweeps), "manipulations": .integer(manipulations),
            "source_switches": .integer(sourceSwitches), "levels_born": .integer(born), "levels_taken": .integer(taken),
            "levels_broken": .integer(broken), "levels_expired": .integer(expired), "levels_evicted": .integer(evicted),
        ]
    }
}

/// What a replay read and what came of it.
struct ReplaySummary {
    var lines = 0
    var headers = 0
    var unreadable = 0
    var otherMessages = 0
    var otherSymbols = 0
    private(set) var ticks = 0
    private(set) var symbols: [String: SymbolFigures] = [:]
    private var from = Int64.max
    private var to = Int64.min
    /// The symbol of the tick before and its figures: ticks of one symbol come in a row.
    private var last = (symbol: "", figures: SymbolFigures())

    mutating func take(_ milliseconds: Int64, of symbol: String) {
        ticks += 1
        from = min(from, milliseconds)
        to = max(to, milliseconds)
        change(symbol) { $0.take(milliseconds) }
    }

    mutating func takeBar(of symbol: String) { change(symbol) { $0.bars += 1 } }

    mutating func take(_ outputs: [CitadelOutput]) {
        // By place: an output taken out of the list would be copied with all that is in it.
        for place in outputs.indices {
            guard let symbol = outputs[place].symbol else { continue }
            change(symbol) { $0.take(outputs[place]) }
        }
    }

    private mutating func change(_ symbol: String, _ work: (inout SymbolFigures) -> Void) {
        if symbol != last.symbol {
            settle()
            last = (symbol, symbols[symbol] ?? SymbolFigures())
        }
        work(&last.figures)
    }

    /// Call before reading `symbols`.
    mutating func settle() {
        if !last.symbol.isEmpty { symbols[last.symbol] = last.figures }
    }

    /// One symbol, nothing of the others.
    func document(_ state: SymbolSummary, _ engine: CitadelEngine, now: Int64) -> JSONObject {
        let symbol = state.profile.symbol
        let figures = symbols[symbol] ?? SymbolFigures()
        var kept = JSONObject()
        for timeframe in Timeframe.allCases { kept.append(timeframe.rawValue, .integer(state.bars[timeframe] ?? 0)) }
        var document: JSONObject = [
            "type": .string("summary"), "symbol": .string(symbol), "known": .bool(state.profile.known),
            "ticks": .integer(figures.ticks), "from": figures.ticks > 0 ? ReplayDocuments.time(figures.from) : .null,
            "to": figures.ticks > 0 ? ReplayDocuments.time(figures.to) : .null,
            "ticks_used": .integer(state.ticksUsed), "ticks_refused": .integer(state.ticksRefused),
            "terminal_bars": .integer(figures.bars),
        ]
        for field in figures.events.fields { document.append(field.name, field.value) }
        document.append("levels_in_view", .integer(state.levels))
        document.append("bars_kept", .object(kept))
        if let condition = engine.condition(of: symbol, now: now) {
            document.append("condition", .object(ReplayDocuments.condition(condition)))
        }
        return document
    }

    /// The whole file, once, as the last line.
    func total(_ engine: CitadelEngine) -> JSONObject {
        [
            "type": .string("total"), "symbols": .integer(engine.symbols.count), "ticks": .integer(ticks),
            "from": ReplayDocuments.time(from), "to": ReplayDocuments.time(to), "lines": .integer(lines),
            "lines_unreadable": .integer(unreadable), "other_messages": .integer(otherMessages),
            "other_symbols": .integer(otherSymbols),
            "terminal_bars": .integer(symbols.values.reduce(0) { $0 + $1.bars }),
            "counters": .object(engine.counters.sortedObject { .integer($0) }),
        ]
    }
}

extension CitadelOutput {
    /// Whose event it is; nil for signals, which a replay has none of.
    fileprivate var symbol: String? {
        switch self {
        case .sweep(let sweep): sweep.symbol
        case .manipulation(let event): event.symbol
        case .levelChanged(let change): change.symbol
        case .barClosed(let symbol, _, _), .sourceSwitched(let symbol, _, _), .historyRebuilt(let symbol): symbol
        case .signalPublished, .signalUpdated: nil
        }
    }
}
