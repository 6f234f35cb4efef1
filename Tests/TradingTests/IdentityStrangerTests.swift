import Domain
import Testing

@testable import Trading

/// Strangers without number: whatever they claim in whatever order, a command goes to the honest connection or nowhere.
@Suite("Strangers on the command port") struct IdentityStrangerTests {
    @Test("1,000 strangers claim the names of 20 terminals that live", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func strangers(seed: UInt64) {
        print("seed \(seed)")
        var generator = SmallGenerator(state: seed)
        var bench = FenceBench()
        for number in 0..<20 as Range<Int32> { bench.hear("honest_\(number)_0", number + 1, from: "10.0.0.\(number)") }
        var told: [String: Int] = [:]
        var probes: Set<Int32> = []
        for step in 0..<20_000 {
            let number = Int32.random(in: 100..<1_100, using: &generator)
            let victim = Int32.random(in: 0..<20, using: &generator)
            let other = Int32.random(in: 0..<20, using: &generator)
            // Some sit behind the victim's own address.
            let address = number % 4 == 0 ? "10.0.0.\(victim)" : "172.16.\(number % 200).\(number / 200)"
            switch Int.random(in: 0..<10, using: &generator) {
            case 0: bench.lose(number)
            case 1:
                let link = TerminalLink(number: number, address: address)
                bench.engine.opened(link, identity: Array("honest_\(victim)_".utf8), now: bench.now)
            case 2: bench.pass(Int64.random(in: 0..<2_000, using: &generator))
            default:
                bench.hear(
                    "honest_\(victim)_0", number, from: address, node: "NODE_honest_\(victim)_0",
                    identity: step % 2 == 0 ? "honest_\(other)_" : "stranger_\(number)", account: "\(step % 3)")
            }
            for action in bench.actions {
                if case .probe(let asked) = action { probes.insert(asked) }
                if case .conflict(let user, _, _) = action { told[user, default: 0] += 1 }
                if case .cut(let cut) = action { #expect(cut > 20, "a connection that lives was cut") }
            }
            // The honest ones answer, as libzmq does for them.
            for asked in probes where asked <= 20 { bench.answer(asked) }
            probes = []
            let user = "honest_\(victim)_0"
            if let route = bench.route(user) { #expect(route == victim + 1, "a stranger would have got it") }
        }
        for number in 0..<20 {
            #expect(bench.engine.terminals["honest_\(number)_0"]?.link?.number == Int32(number + 1))
        }
        // At most once for each kind of doubt.
        #expect(told.values.allSatisfy { $0 <= 3 }, "\(told)")
    }

    @Test("500 terminals restart behind half-open connections in any order: each is believed within 6 s")
    func restarts() {
        var generator = SmallGenerator(state: 9)
        var bench = FenceBench()
        let users = (0..<500).map { "restart_\($0)_0" }
        for (index, user) in users.enumerated() { bench.hear(user, Int32(index + 1)) }
        for index in users.indices.shuffled(using: &generator) {
            bench.hear(users[index], Int32(index + 1_001), node: "NODE_new_\(index)")
            bench.pass(2)
        }
        bench.pass(5_000)
        bench.pass(250)
        for (index, user) in users.enumerated() { #expect(bench.route(user) == Int32(index + 1_001)) }
        #expect(bench.engine.terminals.open.isEmpty && bench.engine.terminals.claims.count == 500)
    }

    private struct SmallGenerator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }
}
