/// What a telemetry frame is worth when not all can be taken, the least first.
public enum TelemetryRank: Int, Sendable, CaseIterable {
    /// A quote: the next one says more.
    case tick
    /// A completed bar.
    case bar
    /// Heartbeats, handshakes, goodbyes.
    case report
    /// What came of a trade: never shed.
    case trade
}
