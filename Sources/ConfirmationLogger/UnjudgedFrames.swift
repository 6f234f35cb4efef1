import Trading

/// Messages from other machines that came before it was known from where terminals speak: Redis was away, and no
/// earlier process had left its copy of the list. They are judged when they are booked, which needs Redis as well. A value.
struct UnjudgedFrames {
    /// What comes beyond is journaled, and refused: nobody can say any more from where it came.
    private static let limit = 20_000

    private var frames: [UInt64: AcceptedFrame] = [:]

    mutating func keep(_ frame: AcceptedFrame) {
        if frames.count < UnjudgedFrames.limit { frames[frame.sequence] = frame }
    }

    mutating func take(_ sequence: UInt64) -> AcceptedFrame? { frames.removeValue(forKey: sequence) }
}
