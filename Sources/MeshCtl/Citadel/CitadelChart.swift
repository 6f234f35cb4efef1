import ArgumentParser
import Citadel
import Domain
import Foundation
import ServiceKit

/// `meshctl citadel chart`: candles, levels and sweeps of a stretch of recorded ticks as an SVG picture.
struct CitadelChartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chart",
        abstract: "Draw recorded ticks with CITADEL's levels and sweeps as an SVG picture.",
        discussion: """
            The engine plays the file from its beginning, so that older levels stand where the picture starts; drawn is \
            from --from to --to (UTC: 2014-05-02, 2014-05-02T12:00, or RFC 3339). A level is drawn from the moment it was \
            known until it was swept, broken or forgotten. Default: the last day of the file.
            """)

    @OptionGroup var recording: RecordingOptions

    @Option(name: .long, help: ArgumentHelp("Where the picture begins, UTC.", valueName: "time"))
    var from: String?

    @Option(name: .long, help: ArgumentHelp("Where it ends, UTC.", valueName: "time"))
    var to: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Length of a candle: M1, M5, M15 or H1. Default: as fits.", valueName: "timeframe"))
    var timeframe: String?

    @Option(name: .long, help: ArgumentHelp("Levels weaker than this are left out (0 to 10).", valueName: "strength"))
    var minimumStrength: Double = 0

    @Option(name: .long, help: ArgumentHelp("The SVG file to write.", valueName: "file"))
    var output: String

    func validate() throws {
        for text in [from, to].compactMap({ $0 }) where CitadelChartCommand.time(text) == nil {
            throw ValidationError("'\(text)' is no time; write for example 2014-05-02 or 2014-05-02T12:30.")
        }
        if let timeframe, Timeframe(rawValue: timeframe.uppercased()) == nil {
            throw ValidationError("--timeframe is M1, M5, M15 or H1.")
        }
        if let from = from.flatMap(CitadelChartCommand.time), let to = to.flatMap(CitadelChartCommand.time), from >= to
        {
            throw ValidationError("--from must lie before --to.")
        }
    }

    /// Milliseconds of UTC from a day, a day and time, or RFC 3339.
    static func time(_ text: String) -> Int64? {
        let tries = [text, text + "Z", text + ":00Z", text + "T00:00:00Z"]
        return tries.lazy.compactMap { Timestamp(rfc3339: $0)?.milliseconds }.first
    }

    func run() throws {
        try ReplayError.reported { () throws(ReplayError) in
            var (playback, file) = try recording.playback()
            var record = ChartRecord()
            try playback.run(file) { (_, outputs, _) throws(ReplayError) in
                record.take(outputs)
                return .max
            }
            try draw(record, playback)
        }
    }

    private func draw(_ record: ChartRecord, _ playback: CitadelPlayback) throws(ReplayError) {
        let symbols = playback.engine.symbols
        guard let state = symbols.first, symbols.count == 1 else {
            let names = symbols.map(\.profile.symbol).joined(separator: " ")
            throw ReplayError(
                message: "\(recording.ticks) has several symbols; choose one with --symbol: \(names)",
                status: ExitStatus.usage)
        }
        let end = to.flatMap(CitadelChartCommand.time) ?? playback.now
        let start = from.flatMap(CitadelChartCommand.time) ?? end - 86_400_000
        let length = timeframe.flatMap { Timeframe(rawValue: $0.uppercased()) } ?? .fitting(end - start)
        let candles = record.bars(length).filter { $0.startMilliseconds >= start && $0.startMilliseconds < end }
        guard candles.count > 1, candles.count <= 4_000 else {
            throw ReplayError(
                message: "\(candles.count) \(length.rawValue) candles from \(Timestamp(milliseconds: start)) to "
                    + "\(Timestamp(milliseconds: end)): from 2 to 4000 can be drawn",
                status: ExitStatus.usage)
        }
        let chart = ChartDrawing(
            profile: state.profile, timeframe: length, candles: candles, start: start, end: end,
            levels: record.lines(playback.engine, end: end).filter { $0.strength >= minimumStrength },
            sweeps: record.sweeps.filter { $0.timeMilliseconds > start && $0.timeMilliseconds <= end },
            suspicions: record.suspicions.filter { $0.timeMilliseconds > start && $0.timeMilliseconds <= end })
        var file = try ReplayOutput(path: output)
        try file.write(text: chart.svg())
        try file.finish()
    }
}

extension Timeframe {
    /// The shortest candles of which no more than about 400 are needed.
    static func fitting(_ span: Int64) -> Timeframe {
        allCases.first { span / $0.milliseconds <= 400 } ?? .h1
    }
}

/// What a chart is drawn from: everything the engine told, kept by kind.
struct ChartRecord {
    private var bars: [Timeframe: [Citadel.Bar]] = [:]
    private var changes: [LevelChange] = []
    private(set) var sweeps: [LiquiditySweep] = []
    private(set) var suspicions: [ManipulationEvent] = []

    mutating func take(_ outputs: [CitadelOutput]) {
        for output in outputs {
            switch output {
            case .barClosed(_, let timeframe, let bar): bars[timeframe, default: []].append(bar)
            case .levelChanged(let change): changes.append(change)
            case .sweep(let sweep): sweeps.append(sweep)
            case .manipulation(let event): suspicions.append(event)
            default: continue
            }
        }
    }

    func bars(_ timeframe: Timeframe) -> [Citadel.Bar] { bars[timeframe] ?? [] }

    /// Every level that was in view before `end`, as the stretches it is drawn by.
    func lines(_ engine: CitadelEngine, end: Int64) -> [ChartLevel] {
        var lines: [Int: ChartLevel] = [:]
        for change in changes where change.timeMilliseconds <= end {
            let strength = engine.strength(of: change.level, now: change.timeMilliseconds)
            lines[change.level.identifier, default: ChartLevel(change)].take(change, strength: strength)
        }
        return lines.values.sorted { $0.identifier < $1.identifier }
    }
}

/// One level's line: stretches of one price and state each; the last one is open while the level is in view.
struct ChartLevel {
    struct Stretch {
        var from: Int64
        var to: Int64?
        var price: Double
        var state: LevelState
    }

    let identifier: Int
    let side: LiquiditySide
    private(set) var origins: LevelOrigins
    private(set) var members = 1
    private(set) var strength = 0.0
    private(set) var stretches: [Stretch] = []
    private(set) var end: LevelState?

    init(_ change: LevelChange) {
        identifier = change.level.identifier
        side = change.level.side
        origins = change.level.origins
    }

    mutating func take(_ change: LevelChange, strength: Double) {
        // What a swept or broken level still does is not drawn.
        guard end == nil else { return }
        origins = change.level.origins
        members = max(1, change.level.members.count)
        if change.kind != .expired { self.strength = strength }
        if let last = stretches.indices.last, stretches[last].to == nil {
            if stretches[last].price == change.level.price, stretches[last].state == change.level.state { return }
            stretches[last].to = change.timeMilliseconds
        }
        switch change.kind {
        case .swept, .broken, .expired: end = change.level.state
        case .evicted: end = .expired
        case .born, .joined, .touched, .taken:
            stretches.append(
                Stretch(
                    from: change.timeMilliseconds, to: nil, price: change.level.price, state: change.level.state))
        }
    }
}
