import Domain
import Fleet
import Testing

/// Random histories: whatever happens in whatever order, the books stay right.
@Suite struct NodeRegistryPropertyTests {
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func uptimeIsNeverNegativeAndNeverMoreThanWallTime(seed: UInt64) throws {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        var bench = RegistryBench()
        var now = 0.0
        var uptimes: [String: Int64] = [:]
        for _ in 0..<4_000 {
            now += Double(Int.random(in: 0..<20_000, using: &random)) / 1000
            let nodeID = "N\(Int.random(in: 0..<12, using: &random))"
            // Now and then a time of the past or of the future, as a repeated request or a bad clock brings it.
            let received =
                now + Double(Int.random(in: -40...5, using: &random)) * Double(Int.random(in: 0...1, using: &random))
            bench.send(randomRequest(nodeID, received, &random), now)
            try checkBooks(bench, now, &uptimes)
        }
        #expect(bench.engine.nodes.count == 12)
    }

    private func randomRequest(_ nodeID: String, _ received: Double, _ random: inout SplitMix64) -> RegistryRequest {
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1:
            let via = Registration.Via.allCases.randomElement(using: &random) ?? .hello
            let user = "user_\(Int.random(in: 0..<4, using: &random))"
            return registration(nodeID, user: user, via: via, received: received)
        case 2: return end(nodeID, received: received)
        case 3: return end(nodeID, NodeEnd.timeoutReason, received: received)
        case 4, 5:
            let state: ConnectionState = Bool.random(using: &random) ? .up : .lost
            let port: NodePort = Bool.random(using: &random) ? .telemetry : .commands
            return .connection(nodeID: nodeID, port: port, state: state, at: at(received))
        default: return heartbeat(nodeID, received: received, isTicks: Bool.random(using: &random))
        }
    }

    private func checkBooks(_ bench: RegistryBench, _ now: Double, _ uptimes: inout [String: Int64]) throws {
        var activeOfUser: [String: String] = [:]
        var active = 0
        for node in bench.engine.nodes.values {
            let wall = at(now) - node.firstSeen
            try #require(node.uptime >= 0)
            // A first sign that claims the past may set `firstSeen` before now, never after.
            try #require(node.uptime <= wall)
            try #require(node.uptime >= uptimes[node.nodeID] ?? 0)
            uptimes[node.nodeID] = node.uptime
            try #require(node.connections >= 1)
            try #require(node.lastSeen <= at(now))
            guard node.status == .active else { continue }
            active += 1
            if let user = node.details[.userUUID] {
                try #require(activeOfUser[user] == nil)
                activeOfUser[user] = node.nodeID
                try #require(bench.engine.node(.user(user))?.nodeID == node.nodeID)
            }
            try #require(bench.engine.node(.session(node.sessionID))?.nodeID == node.nodeID)
        }
        try #require(active == bench.engine.activeCount)
    }
}
