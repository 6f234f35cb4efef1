/// Classifies one frame of the telemetry port without allocating: the relay's hot path.
///
/// `.tick` and `.bar` are claimed only for a compact flat JSON object with a TICK or OHLC type and every field that
/// ``EADecoder`` asks for, in plain ASCII, so that both always agree on the value; whatever is unusual (spaces,
/// escapes, exponents, aliases, nested values) is `.other`. Pure, any thread. Source: ea-wire 1.2, 2.
public func scanTelemetry(_ frame: UnsafeBufferPointer<UInt8>) -> TickScan {
    // The shortest proper quote has more bytes; nothing longer is sent.
    guard let base = frame.baseAddress, frame.count >= 32, frame.count <= EADecoder.maximumBytes else {
        return TickScan()
    }
    var scanner = TelemetryScanner(FrameBytes(base: UnsafeRawPointer(base), count: frame.count))
    return scanner.scan() ? scanner.result : TickScan()
}

public func scanTelemetry(_ frame: Span<UInt8>) -> TickScan {
    frame.withUnsafeBufferPointer { scanTelemetry($0) }
}

/// One pass over the fields of a flat object.
private struct TelemetryScanner {
    /// Which fields were seen, and of which type the frame is.
    private struct Seen: OptionSet {
        let rawValue: UInt16
        static let symbol = Seen(rawValue: 1), bid = Seen(rawValue: 2), ask = Seen(rawValue: 4)
        static let open = Seen(rawValue: 8), high = Seen(rawValue: 16), low = Seen(rawValue: 32)
        static let close = Seen(rawValue: 64), time = Seen(rawValue: 128), timeframe = Seen(rawValue: 256)
        static let node = Seen(rawValue: 512), user = Seen(rawValue: 1024), timestamp = Seen(rawValue: 2048)
        static let tick = Seen(rawValue: 4096), bar = Seen(rawValue: 8192)
        static let wholeTick: Seen = [.tick, .symbol, .bid, .ask]
        static let wholeBar: Seen = [.bar, .symbol, .timeframe, .time, .open, .high, .low, .close]
    }

    private let bytes: FrameBytes
    private var seen: Seen = []
    var result = TickScan()

    init(_ bytes: FrameBytes) { self.bytes = bytes }

    /// Whether the frame is a proper quote or bar; then `result` holds it.
    mutating func scan() -> Bool {
        guard bytes[0] == UInt8(ascii: "{") else { return false }
        var index = 1
        while true {
            guard bytes[index] == UInt8(ascii: "\""), let next = field(at: index + 1) else { return false }
            switch bytes[next] {
            case UInt8(ascii: ","): index = next + 1
            case UInt8(ascii: "}"): return next + 1 == bytes.count && conclude()
            default: return false
            }
        }
    }

    private mutating func conclude() -> Bool {
        if seen.isSuperset(of: .wholeTick) {
            result.kind = .tick
        } else if seen.isSuperset(of: .wholeBar) {
            result.kind = .bar
        } else {
            return false
        }
        return true
    }

    /// One field from its name's first byte; the place behind its value, or nil where the frame is unusual.
    private mutating func field(at start: Int) -> Int? {
        let word = bytes.word(at: start)
        switch word {
        case Name.nodeID where bytes[start &+ 8] == Name.colon:
            return take(.node, identifier(at: start &+ 9), into: &result.nodeIDPlace, &seen)
        case Name.symbol: return take(.symbol, identifier(at: start &+ 8), into: &result.symbolPlace, &seen)
        case Name.spread, Name.volume: return bytes.number(at: start &+ 8)
        case Name.userUUID where bytes.isClosing(at: start &+ 8, letter: UInt8(ascii: "d")):
            return take(.user, identifier(at: start &+ 11), into: &result.userUUIDPlace, &seen)
        case Name.timestamp where bytes.isClosing(at: start &+ 8, letter: UInt8(ascii: "p")):
            return take(.timestamp, timestamp(at: start &+ 11), into: &result.timestampPlace, &seen)
        case Name.timeframe where bytes.isClosing(at: start &+ 8, letter: UInt8(ascii: "e")):
            return take(.timeframe, identifier(at: start &+ 11), into: &result.timeframePlace, &seen)
        default: break
        }
        switch word & Name.fiveBytes {
        case Name.bid: return take(.bid, price(at: start &+ 5), into: &result.firstPrice, &seen)
        case Name.ask: return take(.ask, price(at: start &+ 5), into: &result.secondPrice, &seen)
        case Name.low: return take(.low, price(at: start &+ 5), into: &result.lowPlace, &seen)
        default: break
        }
        switch word & Name.sixBytes {
        case Name.type: return type(at: start &+ 6)
        case Name.time: return take(.time, time(at: start &+ 6), into: &result.timePlace, &seen)
        case Name.open: return take(.open, price(at: start &+ 6), into: &result.firstPrice, &seen)
        case Name.high: return take(.high, price(at: start &+ 6), into: &result.secondPrice, &seen)
        default: break
        }
        if word & Name.sevenBytes == Name.close {
            return take(.close, price(at: start &+ 7), into: &result.closePlace, &seen)
        }
        return unknown(at: start)
    }

    // MARK: - Values

    /// A value's text, from `start` to `end`, and the place behind the value; `next` 0 where there is no proper value.
    private struct Value {
        var start = 0
        var end = 0
        var next = 0
    }

    @inline(__always)
    private func take(_ field: Seen, _ value: Value, into place: inout BytePlace, _ seen: inout Seen) -> Int? {
        guard value.next > 0, seen.isDisjoint(with: field) else { return nil }
        seen.formUnion(field)
        place = BytePlace(value.start, value.end)
        return value.next
    }

    private mutating func type(at start: Int) -> Int? {
        guard seen.isDisjoint(with: [.tick, .bar]) else { return nil }
        // `"TICK"` in any case: the letters lie in bytes 1 to 4 of the word.
        switch (bytes.word(at: start) | 0x20_2020_2000) & Name.sixBytes {
        case Name.tick: seen.formUnion(.tick)
        case Name.ohlc: seen.formUnion(.bar)
        default: return nil
        }
        return start &+ 6
    }

    @inline(__always)
    private func text(at start: Int) -> Value {
        guard bytes[start] == UInt8(ascii: "\""), let end = bytes.stringEnd(from: start &+ 1) else { return Value() }
        return Value(start: start &+ 1, end: end, next: end &+ 1)
    }

    @inline(__always)
    private func identifier(at start: Int) -> Value {
        let value = text(at: start)
        let count = value.end &- value.start
        return count >= 1 && count <= EAFields.maximumIdentifier ? value : Value()
    }

    @inline(__always)
    private func price(at start: Int) -> Value {
        guard let end = bytes.positivePrice(at: start) else { return Value() }
        return Value(start: start, end: end, next: end)
    }

    private func timestamp(at start: Int) -> Value {
        if bytes[start] == UInt8(ascii: "\"") { return text(at: start) }
        guard let end = bytes.number(at: start) else { return Value() }
        return Value(start: start, end: end, next: end)
    }

    private func time(at start: Int) -> Value {
        // Nine or ten digits below 7,000,000,000: seconds that EATime takes too, from 1973 to 2191.
        guard let end = bytes.number(at: start), end &- start == 10 || end &- start == 9,
            bytes[start] != UInt8(ascii: "-"), bytes[start] < UInt8(ascii: "7")
        else { return Value() }
        return Value(start: start, end: end, next: end)
    }

    /// A field nobody needs: passed over, unless it is another spelling of one that is needed.
    private func unknown(at start: Int) -> Int? {
        guard let end = bytes.stringEnd(from: start), bytes[end + 1] == Name.colon else { return nil }
        guard !isAlias(start, end) else { return nil }
        let value = end + 2
        guard bytes[value] == UInt8(ascii: "\"") else { return bytes.number(at: value) }
        return bytes.stringEnd(from: value + 1).map { $0 + 1 }
    }

    private func isAlias(_ start: Int, _ end: Int) -> Bool {
        let word = bytes.word(at: start)
        return switch end - start {
        case 2: word & 0xFFFF == Name.ts
        case 4: word & 0xFFFF_FFFF == Name.uuid
        case 5: word & Name.fiveBytes == Name.eaID
        case 7: word & Name.sevenBytes == Name.userID
        case 11: word == Name.targetU
        default: false
        }
    }
}

/// Field names as little-endian words, with the `":` behind them where it fits.
private enum Name {
    static let colon = UInt8(ascii: ":")
    static let fiveBytes: UInt64 = 0xFF_FFFF_FFFF
    static let sixBytes: UInt64 = 0xFFFF_FFFF_FFFF
    static let sevenBytes: UInt64 = 0xFF_FFFF_FFFF_FFFF
    static let nodeID: UInt64 = 0x2264_695F_6564_6F6E  // node_id"
    static let symbol: UInt64 = 0x3A22_6C6F_626D_7973  // symbol":
    static let spread: UInt64 = 0x3A22_6461_6572_7073  // spread":
    static let volume: UInt64 = 0x3A22_656D_756C_6F76  // volume":
    static let userUUID: UInt64 = 0x6975_755F_7265_7375  // user_uui(d":)
    static let timestamp: UInt64 = 0x6D61_7473_656D_6974  // timestam(p":)
    static let timeframe: UInt64 = 0x6D61_7266_656D_6974  // timefram(e":)
    static let bid: UInt64 = 0x3A_2264_6962  // bid":
    static let ask: UInt64 = 0x3A_226B_7361  // ask":
    static let low: UInt64 = 0x3A_2277_6F6C  // low":
    static let type: UInt64 = 0x3A22_6570_7974  // type":
    static let time: UInt64 = 0x3A22_656D_6974  // time":
    static let open: UInt64 = 0x3A22_6E65_706F  // open":
    static let high: UInt64 = 0x3A22_6867_6968  // high":
    static let close: UInt64 = 0x3A_2265_736F_6C63  // close":
    static let tick: UInt64 = 0x226B_6369_7422  // "tick"
    static let ohlc: UInt64 = 0x2263_6C68_6F22  // "ohlc"
    static let ts: UInt64 = 0x7374
    static let uuid: UInt64 = 0x6469_7575
    static let eaID: UInt64 = 0x64_695F_6165
    static let userID: UInt64 = 0x64_695F_7265_7375
    static let targetU: UInt64 = 0x755F_7465_6772_6174  // target_u(uid)
}
