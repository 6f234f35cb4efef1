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
            summary.lines += 1
            switch record {
            case .quote(let quote): try handle(quote)
            case .bars(let bars): try handle(bars)
            case .other: summary.otherMessages += 1
            case .header: summary.headers += 1
            case .unreadable:
                // The first line of a table may be its head, whatever it says.
                if summary.lines == 1 { summary.headers += 1 } else { summary.unreadable += 1 }
            }
            guard !outputs.isEmpty || now >= wakeAt else { continue }
            guard summary.ticks > 0 else { continue }
            summary.take(outputs)
            wakeAt = try take(engine, outputs, now)
            outputs.removeAll(keepingCapacity: true)
        }
        summary.settle()
        try check(file.path)
    }

    private mutating func handle(_ quote: RecordedQuote.Quote) throws(ReplayError) {
        guard let symbol = try wanted(quote.symbol) else {
            summary.otherSymbols += 1
            return
        }
        summary.take(quote.milliseconds, of: symbol)
        if summary.ticks == 1 { warn(quote, symbol) }
        now = max(now, quote.milliseconds)
        engine.handle(
            MarketTick(
                symbol: symbol, source: quote.source ?? "recording", timeMilliseconds: quote.milliseconds,
                bid: quote.bid, ask: quote.ask, decimals: quote.decimals),
            now: now, into: &outputs)
        progress.tell(ticks: summary.ticks, now)
    }

    private mutating func handle(_ bars: [MarketBar]) throws(ReplayError) {
        for var bar in bars {
            guard let symbol = try wanted(bar.symbol) else { continue }
            bar.symbol = symbol
            summary.takeBar(of: symbol)
            engine.handle(bar: bar, now: now, into: &outputs)
        }
    }

    /// The canonical name of a file's spelling, nil where it is not asked for. Files of prices name no symbol.
    private mutating func wanted(_ spelling: String?) throws(ReplayError) -> String? {
        guard let spelling else {
            if let name = symbol ?? symbolOfFile { return name }
            throw ReplayError(
                message: "the file names no symbol; say whose ticks these are, for example --symbol EURUSD",
                status: ExitStatus.usage)
        }
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
    private func warn(_ quote: RecordedQuote.Quote, _ name: String) {
        guard quote.symbol == nil else { return }
        if let symbolOfFile, symbolOfFile != name {
            StandardError.write(line: "meshctl: the file's name says \(symbolOfFile), --symbol says \(name)")
        }
        // Trailing zeros may be left out, so fewer decimals by one are no sign.
        if let digits = catalogue.instruments[name]?.digits, quote.decimals > digits || quote.decimals < digits - 1 {
            StandardError.write(
                line:
                    "meshctl: the first quote has \(quote.decimals) decimals, \(name) has \(digits): another symbol?"
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
