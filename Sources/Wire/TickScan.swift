public import Domain

/// What kind of frame of the telemetry port a scan saw.
public enum FrameKind: UInt8, Sendable {
    /// A proper quote.
    case tick
    /// A proper bar.
    case bar
    /// Anything else, good or bad: it goes through ``EADecoder``.
    case other
}

/// Where the fields of a scanned quote or bar stand in the frame: byte ranges, empty where the field is absent.
///
/// Texts without their quotes, numbers as written. Valid only together with the frame that was scanned.
public struct TickScan: Sendable, Equatable {
    public internal(set) var kind: FrameKind = .other
    var nodeIDPlace = BytePlace()
    var userUUIDPlace = BytePlace()
    var symbolPlace = BytePlace()
    var timestampPlace = BytePlace()
    var timeframePlace = BytePlace()
    var timePlace = BytePlace()
    /// bid of a quote, open of a bar.
    var firstPrice = BytePlace()
    /// ask of a quote, high of a bar.
    var secondPrice = BytePlace()
    var lowPlace = BytePlace()
    var closePlace = BytePlace()

    public var nodeID: Range<Int> { nodeIDPlace.range }
    public var userUUID: Range<Int> { userUUIDPlace.range }
    public var symbol: Range<Int> { symbolPlace.range }
    /// Of a quote.
    public var bid: Range<Int> { firstPrice.range }
    /// Of a quote.
    public var ask: Range<Int> { secondPrice.range }
    public var timestamp: Range<Int> { timestampPlace.range }
    /// Of a bar.
    public var timeframe: Range<Int> { timeframePlace.range }
    /// Of a bar: its opening time.
    public var time: Range<Int> { timePlace.range }
}

/// A range of bytes in half the room: a scan stays within two cache lines.
struct BytePlace: Sendable, Equatable {
    var start: UInt32 = 0
    var end: UInt32 = 0

    init() {}
    init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }

    var range: Range<Int> { Int(start)..<Int(end) }
    var count: Int { Int(end) - Int(start) }
}

extension Tick {
    /// The whole quote of a scan and the frame it was made of; nil for other frames.
    public init?(_ scan: TickScan, _ frame: UnsafeBufferPointer<UInt8>) {
        guard scan.kind == .tick, let bid = frame.amount(scan.bid), let ask = frame.amount(scan.ask) else { return nil }
        let decimals = max(writtenDecimals(frame.part(scan.bid)), writtenDecimals(frame.part(scan.ask)))
        self.init(symbol: frame.text(scan.symbol), bid: bid, ask: ask, decimals: decimals)
        nodeID = frame.optionalText(scan.nodeID)
        userUUID = frame.optionalText(scan.userUUID)
        brokerSeconds = EATime.seconds(frame.part(scan.timestamp))
    }
}

extension Bar {
    /// The whole bar of a scan and the frame it was made of; nil for other frames.
    public init?(_ scan: TickScan, _ frame: UnsafeBufferPointer<UInt8>) {
        guard scan.kind == .bar, let open = frame.amount(scan.firstPrice.range),
            let high = frame.amount(scan.secondPrice.range), let low = frame.amount(scan.lowPlace.range),
            let close = frame.amount(scan.closePlace.range), let seconds = EATime.seconds(frame.part(scan.time))
        else { return nil }
        self.init(
            symbol: frame.text(scan.symbol), timeframe: frame.text(scan.timeframe), brokerSeconds: seconds, open: open,
            high: high, low: low, close: close)
        nodeID = frame.optionalText(scan.nodeID)
        userUUID = frame.optionalText(scan.userUUID)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// A part of the frame; empty where a scan does not belong to this frame.
    fileprivate func part(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        guard range.upperBound <= count else { return UnsafeBufferPointer(rebasing: self[..<0]) }
        return UnsafeBufferPointer(rebasing: self[range])
    }

    fileprivate func amount(_ range: Range<Int>) -> Amount? { Amount(ascii: part(range)) }
    fileprivate func text(_ range: Range<Int>) -> String { String(decoding: part(range), as: UTF8.self) }
    fileprivate func optionalText(_ range: Range<Int>) -> String? { range.isEmpty ? nil : text(range) }
}
