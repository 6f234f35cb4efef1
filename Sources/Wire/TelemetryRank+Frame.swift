public import Domain
import Glibc

extension TelemetryRank {
    /// A frame's rank by its first bytes, as every EA in the field writes them; a tenth of what reading it costs.
    ///
    /// Whatever names a ticket or speaks of a trade is a trade: in doubt the higher rank. Source: ea-wire 2 to 4.
    public init(frame: UnsafeBufferPointer<UInt8>) {
        let raw = UnsafeRawBufferPointer(frame)
        if TelemetryRank.begins(raw, with: "{\"type\":\"") {
            let rest = UnsafeRawBufferPointer(rebasing: raw[9...])
            if TelemetryRank.begins(rest, with: "TICK\"") || TelemetryRank.begins(rest, with: "tick\"") {
                self = .tick
                return
            }
            if TelemetryRank.begins(rest, with: "OHLC\"") || TelemetryRank.begins(rest, with: "candle_batch\"") {
                self = .bar
                return
            }
            if TelemetryRank.begins(rest, with: "heartbeat\"") {
                self = .report
                return
            }
        } else if TelemetryRank.begins(raw, with: "{\"symbol\":") || TelemetryRank.begins(raw, with: "TICK ")
            || TelemetryRank.begins(raw, with: "tick ")
        {
            self = TelemetryRank.mentionsTrade(raw) ? .trade : .tick
            return
        } else if TelemetryRank.begins(raw, with: "OHLC ") {
            self = .bar
            return
        }
        self = TelemetryRank.mentionsTrade(raw) ? .trade : .report
    }

    private static let tradeWords: [StaticString] = [
        "\"ticket\"", "confirmation", "trade_result", "signal_id", "fire_id", "position_closed", "\"pong\"",
    ]
    private static let searched = 512

    private static func mentionsTrade(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let end = min(bytes.count, searched)
        for start in 0..<end {
            // Every word here begins with a quote or with one of five letters.
            switch bytes[start] {
            case UInt8(ascii: "\""), UInt8(ascii: "c"), UInt8(ascii: "t"), UInt8(ascii: "s"), UInt8(ascii: "f"),
                UInt8(ascii: "p"):
                let rest = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                if tradeWords.contains(where: { begins(rest, with: $0) }) { return true }
            default: break
            }
        }
        return false
    }

    @inline(__always)
    private static func begins(_ bytes: UnsafeRawBufferPointer, with prefix: StaticString) -> Bool {
        guard bytes.count >= prefix.utf8CodeUnitCount, let base = bytes.baseAddress else { return false }
        return memcmp(base, prefix.utf8Start, prefix.utf8CodeUnitCount) == 0
    }
}
