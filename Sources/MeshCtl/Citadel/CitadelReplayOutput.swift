import Citadel
import Domain
import Glibc
import ServiceKit
import Wire

/// JSON lines, written in large pieces to standard output or a file.
struct ReplayOutput {
    private var buffer: [UInt8] = []
    private let descriptor: Int32
    private let name: String
    private static let piece = 1 << 16

    init() {
        descriptor = STDOUT_FILENO
        name = "standard output"
    }

    /// A new file, or an old one emptied.
    init(path: String) throws(ReplayError) {
        name = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw ReplayError(message: "\(path): \(String(cString: strerror(errno)))", status: ReplayError.cannotCreate)
        }
    }

    mutating func write(_ object: JSONObject) throws(ReplayError) {
        JSON.object(object).write(into: &buffer)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= ReplayOutput.piece { try flush() }
    }

    mutating func flush() throws(ReplayError) {
        var offset = 0
        while offset < buffer.count {
            let written = buffer.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
            }
            if written > 0 {
                offset += written
            } else if errno != EINTR {
                let reason = String(cString: strerror(errno))
                throw ReplayError(message: "\(name): \(reason)", status: ReplayError.inputOutput)
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Writes the rest and closes a file.
    mutating func finish() throws(ReplayError) {
        try flush()
        if descriptor != STDOUT_FILENO { close(descriptor) }
    }
}

/// A line on standard error each second, from the second second on.
struct ReplayProgress {
    private let began = SystemClock.monotonicMilliseconds()
    private var told: Int64 = 0

    mutating func tell(ticks: Int, _ now: Int64) {
        // The clock is looked at now and then, not for every tick.
        guard ticks % 4096 == 0 else { return }
        let seconds = (SystemClock.monotonicMilliseconds() - began) / 1000
        guard seconds > told else { return }
        told = seconds
        StandardError.write(line: "meshctl: \(ticks) ticks, at \(Timestamp(milliseconds: now))")
    }
}

/// What a replay read and what came of it.
struct ReplaySummary {
    var lines = 0
    var headers = 0
    var unreadable = 0
    var otherMessages = 0
    var otherSymbols = 0
    /// Bars that terminals sent.
    var bars = 0
    private(set) var ticks = 0
    private var from = Int64.max
    private var to = Int64.min

    mutating func take(_ milliseconds: Int64) {
        ticks += 1
        from = min(from, milliseconds)
        to = max(to, milliseconds)
    }

    func document(_ state: SymbolSummary, _ engine: CitadelEngine, now: Int64) -> JSONObject {
        let counters = engine.counters
        let symbol = state.profile.symbol
        var kept = JSONObject()
        for timeframe in Timeframe.allCases { kept.append(timeframe.rawValue, .integer(state.bars[timeframe] ?? 0)) }
        var document: JSONObject = [
            "type": .string("summary"), "symbol": .string(symbol), "known": .bool(state.profile.known),
            "ticks": .integer(ticks), "from": ReplayDocuments.time(from), "to": ReplayDocuments.time(to),
            "lines_unreadable": .integer(unreadable), "other_messages": .integer(otherMessages),
            "other_symbols": .integer(otherSymbols), "terminal_bars": .integer(bars),
            "ticks_used": .integer(state.ticksUsed), "sweeps": .integer(counters["sweeps"] ?? 0),
            "levels_in_view": .integer(state.levels), "bars_kept": .object(kept),
        ]
        if let condition = engine.condition(of: symbol, now: now) {
            document.append("condition", .object(ReplayDocuments.condition(condition)))
        }
        // Counted over all symbols of the file.
        document.append("counters", .object(counters.sortedObject { .integer($0) }))
        return document
    }
}
