/// SplitMix64 that says its seed when it is made, so that a failure can be repeated. Source: S. Vigna, public domain.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameter purpose: printed beside the seed.
    public init(seed: UInt64, for purpose: String) {
        state = seed
        print("\(purpose): seed \(seed)")
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}
