/// Something that happens to a terminal or to the market.
enum ScenarioAction: Equatable {
    case freeze, thaw
    case restart(Int), switchAccount(Int), reconnect(Int), silence(Int), wake(Int)
    /// The cable is pulled: connections are left half-open, and a new EA comes under the old identity.
    case halfOpen(Int)
    /// The mesh can't be reached; the EA goes on queueing.
    case offline(Int)
    /// It can again: what was queued comes in one burst.
    case comeBack(Int)
    case flood(Int), calm(Int)
}

/// When what happens; a pure function of the elapsed time and the seed.
struct Scenario {
    private let name: ScenarioName
    private let terminals: Int
    private let period: Int64
    private let pause: Int64
    private var generator: SeededGenerator
    private var nextCycle: Int64
    private var cycles = 0
    private var pending: [(at: Int64, action: ScenarioAction)] = []

    /// - Parameters:
    ///   - period: milliseconds until the scenario strikes, and between two strikes.
    ///   - pause: milliseconds a weekend or a silence lasts; 0 is for ever.
    init(_ name: ScenarioName, terminals: Int, period: Int64, pause: Int64, seed: UInt64) {
        self.name = name
        self.terminals = terminals
        self.period = max(1, period)
        self.pause = pause
        generator = SeededGenerator(seed: seed)
        nextCycle = self.period
    }

    /// What has become due, in order.
    mutating func due(elapsed: Int64) -> [ScenarioAction] {
        while elapsed >= nextCycle {
            pending += strike(at: nextCycle)
            pending.sort { $0.at < $1.at }
            nextCycle += period
            cycles += 1
        }
        let count = pending.prefix { $0.at <= elapsed }.count
        defer { pending.removeFirst(count) }
        return pending.prefix(count).map(\.action)
    }

    private mutating func strike(at start: Int64) -> [(at: Int64, action: ScenarioAction)] {
        let isOver = pause == 0 && cycles > 0
        switch name {
        case .day: return []
        case .weekend:
            return isOver ? [] : lasting(start, .freeze, .thaw)
        case .restart: return spread(start) { .restart($0) }
        case .switchAccount: return spread(start) { .switchAccount($0) }
        case .halfOpen: return spread(start) { .halfOpen($0) }
        case .flood: return isOver ? [] : lasting(start, .flood(0), .calm(0))
        case .backlog:
            let back = start + max(pause, 1)
            return (0..<terminals).map { (start, .offline($0)) }
                + (0..<terminals).map {
                    (back + Int64($0) * Scenario.returnMilliseconds / Int64(terminals), .comeBack($0))
                }
        case .storm: return (0..<terminals).map { (start, .reconnect($0)) }
        case .silent:
            guard !isOver else { return [] }
            return stride(from: 0, to: terminals, by: 3).flatMap { lasting(start, .silence($0), .wake($0)) }
        case .demo:
            let terminal = Int(generator.next() % UInt64(max(1, terminals)))
            switch generator.next() % 20 {
            case 0..<8: return lasting(start, .silence(terminal), .wake(terminal))
            case 8..<15: return [(start, .reconnect(terminal))]
            default: return [(start, .restart(terminal))]
            }
        }
    }

    /// All are back within this after an outage.
    private static let returnMilliseconds: Int64 = 2_000

    private func lasting(
        _ start: Int64, _ begin: ScenarioAction, _ end: ScenarioAction
    ) -> [(at: Int64, action: ScenarioAction)] {
        pause > 0 ? [(start, begin), (start + pause, end)] : [(start, begin)]
    }

    /// One terminal after the other, evenly over a period.
    private func spread(_ start: Int64, _ action: (Int) -> ScenarioAction) -> [(at: Int64, action: ScenarioAction)] {
        (0..<terminals).map { (start + Int64($0) * period / Int64(max(1, terminals)), action($0)) }
    }
}
