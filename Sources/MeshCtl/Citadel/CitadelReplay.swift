import ArgumentParser
import Citadel
import Domain
import ServiceKit
import Wire

/// `meshctl citadel replay`: recorded ticks through the engine, its events and scores as JSON lines.
struct CitadelReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Run recorded ticks through CITADEL and print its events and scores as JSON lines.",
        discussion: """
            Reads lines 'ts_ms_utc,bid,ask', lines 'timestamp,bid,ask' (RFC 3339), or the terminals' own JSON messages, \
            plain or gzip. Prints each liquidity sweep and each suspicious event as it becomes known, every hour the \
            score of a plain buy and a plain sell at the market (stop one and a half M15 ranges away, target twice as \
            far), then the levels in view at the end, then a summary for each symbol and one total of the \
            file: one JSON object a line. The same \
            ticks give the same bytes.

            With --trade, which may be given several times, these trades are scored instead of the plain ones, with their \
            sentences: meshctl citadel replay --ticks FILE --symbol EURUSD --trade BUY:1.38650:1.38400:1.39150

            Terminals stamp their messages with the broker's clock, which carries no zone: --broker-offset says how far \
            it is ahead of UTC.
            """)

    @OptionGroup var recording: RecordingOptions

    @Option(name: .long, help: ArgumentHelp("Minutes between scores; 0 for none.", valueName: "minutes"))
    var scoreEvery: Int64 = 60

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Score this trade all along: DIRECTION:ENTRY[:STOP[:TARGET]], - for none.", valueName: "trade"))
    var trade: [ReplayTrade] = []

    @Flag(name: .long, help: "Print every closed bar too.")
    var bars = false

    @Flag(name: .long, help: "Print every step in the life of every level too.")
    var levels = false

    @Option(name: .long, help: ArgumentHelp("File for the lines. Default: standard output.", valueName: "file"))
    var output: String?

    func validate() throws {
        guard (0...100_000).contains(scoreEvery) else {
            throw ValidationError("--score-every must be a number of minutes from 0 to 100000.")
        }
        guard trade.isEmpty || scoreEvery > 0 else {
            throw ValidationError("--trade needs --score-every of a minute at least.")
        }
        guard trade.count <= 100 else { throw ValidationError("At most 100 trades are scored in one replay.") }
    }

    func run() throws {
        try ReplayError.reported { () throws(ReplayError) in
            var (playback, file) = try recording.playback()
            var lines = ReplayLines(
                scoreEvery: scoreEvery * 60_000, trades: trade, printsBars: bars, printsLevels: levels,
                output: try output.map { path throws(ReplayError) in try ReplayOutput(path: path) } ?? ReplayOutput())
            try playback.run(file) { (engine, outputs, now) throws(ReplayError) in
                try lines.write(outputs, engine, now)
            }
            try lines.finish(playback)
        }
    }
}

/// What a replay prints, in order.
private struct ReplayLines {
    let scoreEvery: Int64
    /// Scored instead of the plain trades, where there are any.
    let trades: [ReplayTrade]
    let printsBars: Bool
    let printsLevels: Bool
    private var output: ReplayOutput
    /// The average M15 range of each symbol: the yardstick of a plain trade.
    private var ranges: [String: (value: Double, bars: Double)] = [:]
    private var nextScore: Int64?

    init(scoreEvery: Int64, trades: [ReplayTrade], printsBars: Bool, printsLevels: Bool, output: ReplayOutput) {
        self.output = output
        self.scoreEvery = scoreEvery
        self.trades = trades
        self.printsBars = printsBars
        self.printsLevels = printsLevels
    }

    /// Writes what came of a tick, and says when the next scores are due.
    mutating func write(_ events: [CitadelOutput], _ engine: CitadelEngine, _ now: Int64) throws(ReplayError) -> Int64 {
        for event in events {
            switch event {
            case .sweep(let sweep): try output.write(ReplayDocuments.sweep(sweep))
            case .manipulation(let suspicion): try output.write(ReplayDocuments.manipulation(suspicion))
            case .levelChanged(let change) where printsLevels:
                try output.write(
                    ReplayDocuments.change(
                        change, strength: engine.strength(of: change.level, now: change.timeMilliseconds),
                        digits: decimals(of: change.symbol, engine)))
            case .sourceSwitched(let symbol, let from, let to):
                try output.write(ReplayDocuments.switched(symbol, from, to, now))
            case .barClosed(let symbol, let timeframe, let bar):
                if timeframe == .m15 { learn(bar, symbol) }
                if printsBars { try output.write(ReplayDocuments.bar(bar, symbol, timeframe)) }
            default: continue
            }
        }
        guard scoreEvery > 0 else { return .max }
        if let due = nextScore, now >= due {
            let symbols = engine.symbols
            if trades.isEmpty {
                for symbol in symbols { try score(symbol, engine, now) }
            } else {
                try scoreTrades(symbols, engine, now)
            }
        }
        let next = (now / scoreEvery + 1) * scoreEvery
        nextScore = next
        return next
    }

    /// Looked up each time: an unconfigured symbol may still gain decimals.
    private func decimals(of symbol: String, _ engine: CitadelEngine) -> Int {
        engine.symbols.first { $0.profile.symbol == symbol }?.profile.digits ?? 8
    }

    private mutating func learn(_ bar: Citadel.Bar, _ symbol: String) {
        var range = ranges[symbol] ?? (0, 0)
        range.bars = min(range.bars + 1, 14)
        range.value += (bar.high - bar.low - range.value) / range.bars
        ranges[symbol] = range
    }

    private mutating func score(_ symbol: SymbolSummary, _ engine: CitadelEngine, _ now: Int64) throws(ReplayError) {
        guard let bid = symbol.bid, let ask = symbol.ask, let range = ranges[symbol.profile.symbol], range.value > 0
        else { return }
        for direction in TradeDirection.allCases {
            let sign: Double = direction == .buy ? 1 : -1
            let entry = direction == .buy ? ask : bid
            let distance = 1.5 * range.value
            func price(_ value: Double) -> Double { ReplayDocuments.rounded(value, symbol.profile.digits) }
            let query = ProtectionQuery(
                symbol: symbol.profile.symbol, entryPrice: entry, direction: direction,
                stopLoss: price(entry - sign * distance), takeProfit: price(entry + 2 * sign * distance))
            // Without an answer there is no plain trade to score: a market gone mad, a price below its own range.
            guard let score = try? engine.score(query, now: now) else { continue }
            try output.write(ReplayDocuments.score(score, query))
        }
    }

    private mutating func scoreTrades(
        _ symbols: [SymbolSummary], _ engine: CitadelEngine, _ now: Int64
    ) throws(ReplayError) {
        guard symbols.count == 1, let symbol = symbols.first?.profile.symbol else {
            throw ReplayError(
                message: "the file has several symbols; say whose trade it is, for example --symbol EURUSD",
                status: ExitStatus.usage)
        }
        for trade in trades {
            let query = trade.query(symbol)
            let line: JSONObject
            do throws(QueryError) {
                line = ReplayDocuments.explained(try engine.score(query, now: now), query)
            } catch {
                line = ReplayDocuments.refused(error, query, now)
            }
            try output.write(line)
        }
    }

    mutating func finish(_ playback: CitadelPlayback) throws(ReplayError) {
        let engine = playback.engine
        for symbol in engine.symbols {
            let name = symbol.profile.symbol
            for level in engine.levels(of: name) {
                try output.write(
                    ReplayDocuments.level(
                        level, name, strength: engine.strength(of: level, now: playback.now),
                        digits: symbol.profile.digits))
            }
        }
        for symbol in engine.symbols {
            try output.write(playback.summary.document(symbol, engine, now: playback.now))
        }
        try output.write(playback.summary.total(engine))
        try output.finish()
    }
}
