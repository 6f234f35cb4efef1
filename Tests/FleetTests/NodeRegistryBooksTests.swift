import Domain
import Fleet
import Testing

/// What is measured, listed and kept.
@Suite struct NodeRegistryBooksTests {
    @Test func aFullRegistryMakesRoomOnlyOfTheEnded() {
        var limits = NodeRegistryEngine.Limits()
        limits.nodes = 3
        var bench = RegistryBench(limits: limits)
        for (index, name) in ["A", "B", "C"].enumerated() {
            bench.send(registration(name, user: name, received: Double(index)), Double(index))
        }
        #expect(bench.send(registration("D", user: "D", received: 4), 4).refusal == "registry_full")
        bench.send(end("B", received: 5), 5)
        #expect(bench.send(registration("D", user: "D", received: 6), 6).record != nil)
        #expect(bench.node("B") == nil)
        #expect(bench.engine.nodes.count == 3)
    }

    @Test func heartbeatsMeasureLatencyAndJitter() throws {
        var bench = RegistryBench()
        bench.send(registration("A", received: 0), 0)
        bench.send(registration("B", user: "user_2", account: "2", received: 0), 0)
        let zone: Int64 = 3 * 3600
        func beat(_ node: String, broker: Double, received: Double) -> RegistryRequest {
            let seconds = at(broker).seconds + zone
            return .heartbeat(Heartbeat(nodeID: node, brokerSeconds: seconds, receivedAt: at(received)))
        }
        for beatNumber in 0..<10 {
            let time = Double(beatNumber) * 30
            bench.send(beat("A", broker: time, received: time), time)
            bench.send(beat("B", broker: time, received: time + 2), time + 2)
        }
        #expect(bench.node("A")?.heartbeatLatency == 0)
        #expect(bench.node("B")?.heartbeatLatency == 2_000)
        #expect(bench.node("A")?.heartbeatJitter == 0)
        #expect(bench.node("A")?.heartbeats == 10)
    }

    @Test func listsAreFilteredSortedAndPaged() {
        var bench = RegistryBench()
        for index in 0..<25 {
            let name = "N\(100 + index)"
            bench.send(registration(name, user: name, account: name, received: Double(index)), Double(index))
        }
        bench.send(end("N100", received: 30), 30)
        var listing = NodeListing()
        listing.status = .active
        listing.limit = 10
        listing.order = .lastSeen
        listing.isDescending = true
        var seen: [String] = []
        for offset in stride(from: 0, to: 30, by: 10) {
            listing.offset = offset
            let (total, page) = bench.engine.list(listing)
            #expect(total == 24)
            seen += page.map(\.nodeID)
        }
        #expect(seen == (1..<25).reversed().map { "N\(100 + $0)" })
        let statistics = bench.engine.statistics()
        #expect(statistics.byStatus == [.active: 24, .disconnected: 1])
        #expect(statistics.byBroker == ["Demo": 24])
    }

    @Test func fieldsGoToTheHashAndBack() throws {
        var bench = RegistryBench()
        bench.send(registration("A", received: 0), 0)
        bench.send(.connection(nodeID: "A", port: .telemetry, state: .up, at: at(1)), 1)
        bench.send(heartbeat("A", received: 30), 30)
        bench.send(heartbeat("A", received: 61), 61)
        let node = try #require(bench.node("A"))
        let hash = Dictionary(node.fields.map { ($0.name, $0.value) }) { first, _ in first }
        let restored = try #require(NodeRecord(fields: hash))
        #expect(restored.fields.map(\.name) == node.fields.map(\.name))
        #expect(restored.fields.map(\.value) == node.fields.map(\.value))
        #expect(NodeRecord(fields: ["node_id": "A"]) == nil)
    }

    @Test func aRestartedRegistryGoesOnWithTheSameSession() throws {
        var first = RegistryBench()
        first.send(registration("A", received: 0), 0)
        first.send(heartbeat("A", received: 30), 30)
        let kept = try #require(first.node("A"))
        var second = RegistryBench()
        // A heartbeat came before what was kept could be read.
        second.send(heartbeat("A", received: 40), 40)
        var effects: [RegistryEffect] = []
        second.engine.restore(kept, into: &effects)
        let node = try #require(second.node("A"))
        #expect(node.sessionID == kept.sessionID)
        #expect(node.connections == 1)
        #expect(node.uptime == 40_000)
        #expect(node.heartbeats == 2)
        #expect(node.details[.userUUID] == "user_1")
        #expect(second.engine.activeCount == 1)
    }
}
