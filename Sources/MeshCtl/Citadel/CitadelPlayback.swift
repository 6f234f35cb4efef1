import Citadel
import Domain
import ServiceKit

/// Recorded ticks through the engine that citadel-monitor runs. The clock is the latest tick's time.
struct CitadelPlayback {
    private let catalogue: InstrumentCatalogue
    /// The only symbol wanted; nil for all.
    private let symbol: String?
    private let symbolOfFile: String?
    private let brokerOffset: Int64
    private var spellings: [String: String] = [:]
    private var outputs: [CitadelOutput] = []
    private var progress = ReplayProgress()
    private(set) var engine: CitadelEngine
    private(set) var summary = ReplaySummary()
    private(set) var now: Int64 = 0

    init(catalogue: InstrumentCatalogue, symbol: String?, symbolOfFile: String?, brokerOffset: Int64) {
        self.catalogue = catalogue
        self.symbol = symbol
        self.symbolOfFile = symbolOfFile
        self.brokerOffset = brokerOffset
        var settings = CitadelConfiguration()
        // A gap in a recording is no reason to keep quiet about what the recording shows.
        settings.announceWithin = .max
        engine = CitadelEngine(
            configuration: settings,
            instruments: catalogue.instruments.mapValues {
                InstrumentProfile(symbol: $0.symbol, digits: $0.digits, pip: $0.pip.double)
            })
    }

    /// Plays the whole file. `take` sees what came of a tick; it is also called, with no outputs, for the first tick
    /// at or after `wakeAt`, and returns when it wants to be woken next.
    mutating func run(
        _ file: ReplayTickFile,
        _ take: (CitadelEngine, [CitadelOutput], _ now: Int64) throws(ReplayError) -> Int64
    ) throws(ReplayError) {
        var wakeAt = Int64.min
        while let record = try file.nextRecord(brokerOffset: brokerOffset) {
            try play(record)
            guard !outputs.isEmpty || now >= wakeAt, summary.ticks > 0 else { continue }
            summary.take(outputs)
            wakeAt = try take(engine, outputs, now)
            outputs.removeAll(keepingCapacity: true)
        }
        summary.settle()
        try check(file.path)
    }

    @inline(__always)
    private mutating func play(_ record: RecordedQuote) throws(ReplayError) {
        summary.lines += 1
        switch record {
        case .price(let price): try handle(price)
        case .quote(let quote): handle(quote)
        case .bars(let bars): handle(bars)
        case .other: summary.otherMessages += 1
        case .header: summary.headers += 1
        case .unreadable:
            // The first line of a table may be its head, whatever it says.
            if summary.lines == 1 { summary.headers += 1 } else { summary.unreadable += 1 }
        }
    }

    private mutating func handle(_ price: RecordedQuote.Price) throws(ReplayError) {
        guard let name = symbol ?? symbolOfFile else {
            throw ReplayError(
                message: "the file names no symbol; say whose ticks these are, for example --symbol EURUSD",
                status: ExitStatus.usage)
        }
        if summary.ticks == 0 { warn(price, name) }
        play(price, of: name, from: "recording")
    }

    private mutating func handle(_ quote: RecordedQuote.Quote) {
        guard let symbol = wanted(quote.symbol) else {
            summary.otherSymbols += 1
            return
        }
        play(quote.price, of: symbol, from: quote.source)
    }

    private mutating func play(_ price: RecordedQuote.Price, of symbol: String, from source: String) {
        summary.take(price.milliseconds, of: symbol)
        now = max(now, price.milliseconds)
        engine.handle(
            MarketTick(
                symbol: symbol, source: source, timeMilliseconds: price.milliseconds, bid: price.bid, ask: price.ask,
                decimals: price.decimals),
            now: now, into: &outputs)
        progress.tell(ticks: summary.ticks, now)
    }

    private mutating func handle(_ bars: [MarketBar]) {
        for var bar in bars {
            guard let symbol = wanted(bar.symbol) else { continue }
            bar.symbol = symbol
            summary.takeBar(of: symbol)
            engine.handle(bar: bar, now: now, into: &outputs)
        }
    }

    /// The canonical name of a file's spelling, nil where it is not asked for.
    private mutating func wanted(_ spelling: String) -> String? {
        let canonical: String
        if let known = spellings[spelling] {
            canonical = known
        } else {
            canonical = catalogue.canonical(spelling)
            spellings[spelling] = canonical
        }
        return symbol == nil || symbol == canonical ? canonical : nil
    }

    /// Prices of another instrument under this name would be judged by the wrong pip.
    private func warn(_ price: RecordedQuote.Price, _ name: String) {
        if let symbolOfFile, symbolOfFile != name {
            StandardError.write(line: "meshctl: the file's name says \(symbolOfFile), --symbol says \(name)")
        }
        // Trailing zeros may be left out, so fewer decimals by one are no sign.
        if let digits = catalogue.instruments[name]?.digits, price.decimals > digits || price.decimals < digits - 1 {
            StandardError.write(
                line:
                    "meshctl: the first quote has \(price.decimals) decimals, \(name) has \(digits): another symbol?"
            )
        }
    }

    private func check(_ path: String) throws(ReplayError) {
        guard summary.ticks == 0 else { return }
        let others = spellings.keys.sorted().prefix(20).joined(separator: " ")
        let message =
            others.isEmpty
            ? "\(path): no ticks in it (ts_ms_utc,bid,ask or timestamp,bid,ask or EA JSON lines)"
            : "\(path): no ticks of \(symbol ?? "any symbol") in it; it has \(others)"
        throw ReplayError(message: message, status: ReplayError.badData)
    }
}
