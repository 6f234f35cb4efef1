import ArgumentParser
import Citadel
import Domain
import ServiceKit

/// `meshctl citadel`: the market's side of the mesh, without a mesh running.
struct CitadelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "citadel", abstract: "Market analysis on recorded ticks.",
        subcommands: [CitadelReplayCommand.self])
}

/// `meshctl citadel replay`: recorded ticks through the engine that citadel-monitor runs.
struct CitadelReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Run recorded ticks through CITADEL and print its events as JSON lines.",
        discussion: """
            Reads lines 'ts_ms_utc,bid,ask', lines 'timestamp,bid,ask' (RFC 3339), or the terminals' own JSON messages, \
            plain or gzip. Prints each liquidity sweep as it becomes known, then the levels in view at the end, then a \
            summary: one JSON object a line. The same ticks give the same bytes.

            Terminals stamp their messages with the broker's clock, which carries no zone: --broker-offset says how far \
            it is ahead of UTC.
            """)

    @Option(name: .long, help: ArgumentHelp("File with the ticks.", valueName: "file"))
    var ticks: String

    @Option(
        name: .long,
        help: ArgumentHelp("Whose ticks, for example EURUSD; a broker's spelling will do.", valueName: "symbol"))
    var symbol: String

    @Flag(name: .long, help: "Print every closed bar too.")
    var bars = false

    @Option(name: .long, help: ArgumentHelp("Hours the broker's clock is ahead of UTC.", valueName: "hours"))
    var brokerOffset: Double = 0

    @Option(name: .long, help: "Configuration file (YAML). Default: deploy/config/mesh.yaml; environment: MESH_CONFIG.")
    var config: String?

    func validate() throws {
        guard (1...32).contains(symbol.utf8.count) else {
            throw ValidationError("--symbol must have 1 to 32 characters.")
        }
        guard brokerOffset.isFinite, abs(brokerOffset) <= 14 else {
            throw ValidationError("--broker-offset must be a number of hours from -14 to 14.")
        }
    }

    func run() throws {
        do throws(ReplayError) {
            let catalogue = try instruments()
            let file = try ReplayTickFile(path: ticks)
            var replay = CitadelReplay(
                catalogue: catalogue, symbol: catalogue.canonical(symbol), printsBars: bars,
                brokerOffset: Int64(brokerOffset * 3_600_000))
            try replay.run(file)
        } catch {
            StandardError.write(line: "meshctl: \(error.message)")
            throw ExitCode(error.status)
        }
    }

    private func instruments() throws(ReplayError) -> InstrumentCatalogue {
        var overrides = MeshConfiguration.Overrides()
        overrides.config = config
        do throws(ConfigurationError) {
            return try InstrumentFile.load(path: try MeshConfiguration.load(overrides).symbolsFile)
        } catch {
            throw ReplayError(message: "\(error)", status: ExitStatus.configuration)
        }
    }
}

/// Why a replay ends without its summary: one line, and an exit status of sysexits(3).
struct ReplayError: Error {
    let message: String
    let status: Int32

    static let noInput: Int32 = 66
    static let badData: Int32 = 65
    static let inputOutput: Int32 = 74
}

/// One replay: the engine, what is printed, how far it is.
struct CitadelReplay {
    private let catalogue: InstrumentCatalogue
    private let symbol: String
    private let printsBars: Bool
    private let brokerOffset: Int64
    private var engine: CitadelEngine
    private var outputs: [CitadelOutput] = []
    private var output = ReplayOutput()
    private var progress = ReplayProgress()
    private var summary = ReplaySummary()
    /// The latest tick's time: what the clock of a live engine would have shown.
    private var now: Int64 = 0
    private var spellings: [String: Bool] = [:]

    init(catalogue: InstrumentCatalogue, symbol: String, printsBars: Bool, brokerOffset: Int64) {
        self.catalogue = catalogue
        self.symbol = symbol
        self.printsBars = printsBars
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

    mutating func run(_ file: ReplayTickFile) throws(ReplayError) {
        while let line = try file.next() {
            switch RecordedQuote(line, brokerOffset: brokerOffset) {
            case .quote(let quote): try take(quote)
            case .other: summary.otherMessages += 1
            case .header: summary.headers += 1
            case .unreadable:
                // The first line of a table may be its head, whatever it says.
                if summary.lines == 0 { summary.headers += 1 } else { summary.unreadable += 1 }
            }
            summary.lines += 1
        }
        try finish(file.path)
    }

    private mutating func take(_ quote: RecordedQuote.Quote) throws(ReplayError) {
        guard isWanted(quote.symbol) else {
            summary.otherSymbols += 1
            return
        }
        summary.take(quote.milliseconds)
        now = max(now, quote.milliseconds)
        engine.handle(
            MarketTick(
                symbol: symbol, source: "replay", timeMilliseconds: quote.milliseconds, bid: quote.bid, ask: quote.ask,
                decimals: quote.decimals),
            now: now, into: &outputs)
        progress.tell(ticks: summary.ticks, now)
        guard !outputs.isEmpty else { return }
        for event in outputs {
            switch event {
            case .sweep(let sweep): try output.write(ReplayDocuments.sweep(sweep))
            case .barClosed(_, let timeframe, let bar) where printsBars:
                try output.write(ReplayDocuments.bar(bar, symbol, timeframe))
            default: break
            }
        }
        outputs.removeAll(keepingCapacity: true)
    }

    /// Whether a file's symbol is the one asked for; files of one symbol name none.
    private mutating func isWanted(_ spelling: String?) -> Bool {
        guard let spelling else { return true }
        if let known = spellings[spelling] { return known }
        let isWanted = catalogue.canonical(spelling) == symbol
        spellings[spelling] = isWanted
        return isWanted
    }

    private mutating func finish(_ path: String) throws(ReplayError) {
        guard summary.ticks > 0 else {
            let others = spellings.keys.sorted().prefix(20).joined(separator: " ")
            let message =
                others.isEmpty
                ? "\(path): no ticks in it (ts_ms_utc,bid,ask or timestamp,bid,ask or EA JSON lines)"
                : "\(path): no ticks of \(symbol) in it; it has \(others)"
            throw ReplayError(message: message, status: ReplayError.badData)
        }
        let digits = engine.symbols.first?.profile.digits ?? 5
        for level in engine.levels(of: symbol) {
            try output.write(
                ReplayDocuments.level(level, symbol, strength: engine.strength(of: level, now: now), digits: digits))
        }
        try output.write(summary.document(symbol: symbol, engine: engine))
        try output.flush()
    }
}
