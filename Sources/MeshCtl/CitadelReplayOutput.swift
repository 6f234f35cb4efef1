import Citadel
import Domain
import Glibc
import ServiceKit
import Wire

/// JSON lines on standard output, written in large pieces.
struct ReplayOutput {
    private var buffer: [UInt8] = []
    private static let piece = 1 << 16

    mutating func write(_ object: JSONObject) throws(ReplayError) {
        JSON.object(object).write(into: &buffer)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= ReplayOutput.piece { try flush() }
    }

    mutating func flush() throws(ReplayError) {
        var offset = 0
        while offset < buffer.count {
            let written = buffer.withUnsafeBytes { bytes in
                Glibc.write(STDOUT_FILENO, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
            }
            if written > 0 {
                offset += written
            } else if errno != EINTR {
                let reason = String(cString: strerror(errno))
                throw ReplayError(message: "standard output: \(reason)", status: ReplayError.inputOutput)
            }
        }
        buffer.removeAll(keepingCapacity: true)
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
    private(set) var ticks = 0
    private var from = Int64.max
    private var to = Int64.min

    mutating func take(_ milliseconds: Int64) {
        ticks += 1
        from = min(from, milliseconds)
        to = max(to, milliseconds)
    }

    func document(symbol: String, engine: CitadelEngine) -> JSONObject {
        let state = engine.symbols.first { $0.profile.symbol == symbol }
        let counters = engine.counters
        var bars = JSONObject()
        for timeframe in Timeframe.allCases { bars.append(timeframe.rawValue, .integer(state?.bars[timeframe] ?? 0)) }
        return [
            "type": .string("summary"), "symbol": .string(symbol), "known": .bool(state?.profile.known ?? false),
            "ticks": .integer(ticks), "from": ReplayDocuments.time(from), "to": ReplayDocuments.time(to),
            "lines_unreadable": .integer(unreadable), "other_messages": .integer(otherMessages),
            "other_symbols": .integer(otherSymbols), "sweeps": .integer(counters["sweeps"] ?? 0),
            "levels_in_view": .integer(state?.levels ?? 0), "bars_kept": .object(bars),
            "counters": .object(counters.sortedObject { .integer($0) }),
        ]
    }
}

/// The forms of a replay's lines; a sweep looks as it does on the port `citadel-alerts`.
enum ReplayDocuments {
    static func time(_ milliseconds: Int64) -> JSON { .string(Timestamp(milliseconds: milliseconds).description) }

    static func number(_ value: Double) -> JSON { value.isFinite ? .number("\(value)") : .null }

    /// Middle prices carry the dust of a division; no broker quotes more than eight decimals.
    static func price(_ value: Double) -> JSON { number((value * 1e8).rounded() / 1e8) }

    static func sweep(_ sweep: LiquiditySweep) -> JSONObject {
        [
            "type": .string("liquidity_sweep"), "symbol": .string(sweep.symbol), "side": .string(sweep.side.rawValue),
            "sweep_type": .string(sweep.kind.rawValue), "level": number(sweep.level),
            "extreme": number(sweep.extreme), "price": number(sweep.level),
            "zone_strength": number(sweep.zoneStrength), "time": time(sweep.timeMilliseconds),
            "timestamp": .integer(sweep.timeMilliseconds / 1000), "members": .integer(sweep.members),
            "origins": .array(sweep.origins.names.map(JSON.string)),
        ]
    }

    static func bar(_ bar: Citadel.Bar, _ symbol: String, _ timeframe: Timeframe) -> JSONObject {
        [
            "type": .string("bar"), "symbol": .string(symbol), "timeframe": .string(timeframe.rawValue),
            "time": time(bar.startMilliseconds), "timestamp": .integer(bar.startMilliseconds / 1000),
            "open": price(bar.open), "high": price(bar.high), "low": price(bar.low), "close": price(bar.close),
            "ticks": .integer(bar.volume),
        ]
    }

    static func level(_ level: LiquidityLevel, _ symbol: String, strength: Double, digits: Int) -> JSONObject {
        func rounded(_ value: Double) -> JSON {
            let scale = (0..<min(max(digits, 0), 8)).reduce(1.0) { product, _ in product * 10 }
            return number((value * scale).rounded() / scale)
        }
        var object: JSONObject = [
            "type": .string("level"), "symbol": .string(symbol), "price": rounded(level.price),
            "side": .string(level.side.rawValue), "state": .string(level.state.rawValue),
            "strength": number(strength), "members": .integer(max(1, level.members.count)),
            "touches": .integer(level.touches), "origins": .array(level.origins.names.map(JSON.string)),
            "born": time(level.born),
        ]
        if let taken = level.taken { object.append("taken", time(taken)) }
        if let extreme = level.extreme { object.append("extreme", rounded(extreme)) }
        if let ended = level.ended { object.append("ended", time(ended)) }
        return object
    }
}
