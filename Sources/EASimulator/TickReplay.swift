import Domain

/// One recorded price.
struct RecordedTick: Equatable {
    /// Nil in files that hold one symbol.
    var symbol: String?
    var bid: Amount
    var ask: Amount
    /// Milliseconds; a terminal's broker time is taken as it stands and marked by `isBrokerTime`.
    var milliseconds: Int64
    var isBrokerTime = false

    /// Reads one line of `ts_ms_utc,bid,ask`, of `timestamp,bid,ask` or of an EA's JSON; nil for a header or noise.
    init?(line: ArraySlice<UInt8>) {
        if line.first == UInt8(ascii: "{") {
            self.init(message: CommandText(frame: line))
        } else {
            self.init(row: line)
        }
    }

    private init?(message: CommandText) {
        let symbol = message.value("symbol")
        let timestamp = message.value("timestamp")
        bid = message.amount("bid")
        ask = message.amount("ask")
        guard !symbol.isEmpty, bid.isPositive, ask.isPositive else { return nil }
        self.symbol = symbol.text
        // 2.0x write a date, 7.01 an epoch; both are the broker's clock.
        let seconds = Timestamp.brokerSeconds(timestamp.text) ?? CommandText.leadingInteger(timestamp.bytes[...])
        guard seconds > 0 else { return nil }
        milliseconds = seconds * 1000
        isBrokerTime = true
    }

    private init?(row: ArraySlice<UInt8>) {
        let fields = row.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard fields.count >= 3, let bid = RecordedTick.price(fields[1]), let ask = RecordedTick.price(fields[2]),
            let time = RecordedTick.time(fields[0])
        else { return nil }
        self.bid = bid
        self.ask = ask
        milliseconds = time
    }

    private static func price(_ field: ArraySlice<UInt8>) -> Amount? {
        let digits = field.last == 0x0D ? field.dropLast() : field
        guard let value = digits.withUnsafeBufferPointer({ Amount(ascii: $0) }), value.isPositive else { return nil }
        return value
    }

    private static func time(_ field: ArraySlice<UInt8>) -> Int64? {
        if field.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
            let number = CommandText.leadingInteger(field)
            guard number > 0 else { return nil }
            // No market was recorded in milliseconds before 1973, so a smaller number is seconds.
            return number < 100_000_000_000 ? number * 1000 : number
        }
        return Timestamp(rfc3339: String(decoding: field, as: UTF8.self))?.milliseconds
    }
}

/// What a tick file holds, found out before the fleet starts: handshakes list the symbols.
struct TickSurvey: Equatable {
    /// Symbol -> the most decimals a price of it has; files lose trailing zeros.
    private(set) var digits: [String: Int] = [:]
    /// In the order they first appear.
    private(set) var symbols: [String] = []

    /// - Parameter symbol: whose prices a file of one symbol holds.
    init(path: String, symbol: String) throws(SimulatorError) {
        let reader = try LineReader(path: path)
        var count = 0
        while let line = reader.next() {
            guard let tick = RecordedTick(line: line) else { continue }
            let name = tick.symbol ?? symbol
            if digits[name] == nil { symbols.append(name) }
            let decimals = max(TickSurvey.decimals(tick.bid), TickSurvey.decimals(tick.ask))
            digits[name] = max(digits[name] ?? 0, decimals)
            count += 1
            // One symbol shows its decimals soon; only files of many have to be read to the end.
            if tick.symbol == nil && count == 2000 { break }
        }
        guard count > 0 else { throw SimulatorError("\(path): no ticks in it (ts_ms_utc,bid,ask or EA JSON lines)") }
    }

    static func decimals(_ price: Amount) -> Int {
        var units = price.units
        var decimals = 8
        while decimals > 0, units % 10 == 0 {
            units /= 10
            decimals -= 1
        }
        return decimals
    }
}

/// Recorded prices at the pace they came in, over and over or once.
struct TickReplay: QuoteSource {
    private let reader: LineReader
    private let indexByName: [String: Int]
    private let symbol: String
    private let isOnce: Bool
    private let brokerOffset: Int64
    private let longestPause: Int64?
    private var previous: Int64?
    private var model: Int64 = 0
    private var waiting: QuoteUpdate?
    private(set) var isFinished = false

    /// - Parameters:
    ///   - indexByName: places in ``Market``.
    ///   - symbol: whose prices a file of one symbol holds.
    ///   - brokerOffset: milliseconds that EA files are ahead of UTC.
    ///   - longestPause: longer silences of the recording are cut to so many milliseconds.
    init(
        path: String, indexByName: [String: Int], symbol: String, isOnce: Bool, brokerOffset: Int64,
        longestPause: Int64?
    ) throws(SimulatorError) {
        reader = try LineReader(path: path)
        self.indexByName = indexByName
        self.symbol = symbol
        self.isOnce = isOnce
        self.brokerOffset = brokerOffset
        self.longestPause = longestPause
    }

    mutating func next(until model: Int64) -> QuoteUpdate? {
        if waiting == nil { waiting = readUpdate() }
        guard let update = waiting, update.model <= model else { return nil }
        waiting = nil
        return update
    }

    private mutating func readUpdate() -> QuoteUpdate? {
        var hasRewound = false
        while !isFinished {
            guard let line = reader.next() else {
                startOver(afterRewind: hasRewound)
                hasRewound = true
                continue
            }
            guard let tick = RecordedTick(line: line), let index = indexByName[tick.symbol ?? symbol] else { continue }
            let pause = max(0, tick.milliseconds - (previous ?? tick.milliseconds))
            model += min(pause, longestPause ?? pause)
            previous = max(previous ?? tick.milliseconds, tick.milliseconds)
            let utc = tick.isBrokerTime ? tick.milliseconds - brokerOffset : tick.milliseconds
            return QuoteUpdate(symbol: index, bid: tick.bid, ask: tick.ask, model: model, recordedUTC: utc)
        }
        return nil
    }

    /// The end of the file: begin again a second later, or stop for good.
    private mutating func startOver(afterRewind: Bool) {
        guard !isOnce, !afterRewind else {
            isFinished = true
            return
        }
        do throws(SimulatorError) {
            try reader.rewind()
            previous = nil
            model += 1000
        } catch {
            isFinished = true
        }
    }
}
