/// One step in the life of a level, told when it became known.
///
/// `level` is the level after the step (before it, for `evicted`), `timeMilliseconds` the time of the tick or the end of
/// the bar that made it known. The steps of a level in order are its whole life: a chart or a study needs nothing else.
public struct LevelChange: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case born
        /// An extreme joined, moved to a stronger neighbour, another source agreed, or late history changed its figures.
        case joined
        /// Price came within the band and closed away.
        case touched
        case taken, swept, broken, expired
        /// Forgotten to make room for another.
        case evicted
    }

    public var symbol = ""
    public var kind: Kind
    public var level: LiquidityLevel
    public var timeMilliseconds: Int64
}
