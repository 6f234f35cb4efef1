import Domain
import Fleet
import Testing

/// Drives the engine as its service does.
private struct TelemetryBench {
    var engine: TelemetryEngine
    var effects: [TelemetryEffect] = []

    init(nodeLimit: Int = 1000) { engine = TelemetryEngine(nodeLimit: nodeLimit, seed: 12345) }

    @discardableResult
    mutating func tick(_ nodeID: String, _ brokerTime: String, descriptor: Int32, _ now: Timestamp)
        -> TelemetryEngine.Notice?
    {
        var (node, time) = (nodeID, brokerTime)
        let seen = node.withUTF8 { nodeBytes in
            time.withUTF8 { engine.tick(nodeID: nodeBytes, timestamp: $0, at: now) }
        }
        guard let seen else { return nil }
        if seen.notice.contains(.descriptor) { engine.attach(seen.node, to: descriptor, at: now, into: &effects) }
        return seen.notice
    }

    @discardableResult
    mutating func take(_ report: TerminalReport, descriptor: Int32, _ now: Timestamp) -> Bool {
        engine.take(report, descriptor: descriptor, at: now, into: &effects)
    }

    mutating func takeEffects() -> [TelemetryEffect] {
        defer { effects = [] }
        return effects
    }
}

private func handshake(_ nodeID: String?, server: String? = "Demo", account: String? = "1") -> TerminalReport {
    var report = TerminalReport(kind: .handshake)
    report.nodeID = nodeID
    report.server = server
    report.account = account
    report.broker = "Demo Limited"
    return report
}

/// The broker's clock is three hours ahead.
private func brokerText(_ time: Timestamp) -> String { Timestamp.brokerText(seconds: time.seconds + 3 * 3600) }

@Suite struct TelemetryEngineTests {
    @Test func theRegistryHearsOfPricesOnceInTenSeconds() {
        var bench = TelemetryBench()
        bench.engine.connectionAccepted(9)
        bench.take(handshake("A"), descriptor: 9, at(0))
        var activities = 0
        for step in 0..<400 {
            let now = at(0.1 + Double(step) / 10)
            if bench.tick("A", brokerText(now), descriptor: 9, now)?.contains(.activity) == true { activities += 1 }
        }
        #expect((3...4).contains(activities))
        #expect(bench.engine.brokers.first?.ticks == 400)
    }

    @Test func onlyCurrentQuotesCountAsTheBrokersLast() throws {
        var bench = TelemetryBench()
        bench.take(handshake("A"), descriptor: 9, at(0))
        bench.tick("A", brokerText(at(1)), descriptor: 9, at(1))
        // An EA's start: last quotes of symbols that nobody traded for hours.
        bench.tick("A", brokerText(at(-7200)), descriptor: 9, at(2))
        #expect(try #require(bench.engine.brokers.first).lastQuoteAt == at(1))
        // An outage's backlog, a thousand quotes minutes old.
        for step in 0..<1000 { bench.tick("A", brokerText(at(-600 + Double(step) / 10)), descriptor: 9, at(3)) }
        #expect(try #require(bench.engine.brokers.first).lastQuoteAt == at(1))
        bench.tick("A", brokerText(at(4)), descriptor: 9, at(4))
        #expect(try #require(bench.engine.brokers.first).lastQuoteAt == at(4))
        #expect(bench.engine.brokers.first?.ticks == 1003)
    }

    @Test func aConnectionThatEndsWithoutGoodbyeIsLostAndUpWhenHeardAgain() {
        var bench = TelemetryBench()
        bench.engine.connectionAccepted(9)
        bench.take(handshake("A"), descriptor: 9, at(0))
        #expect(bench.takeEffects().last == .connection(nodeID: "A", state: .up))
        bench.tick("A", brokerText(at(1)), descriptor: 9, at(1))
        bench.engine.connectionClosed(9, at: at(5), into: &bench.effects)
        #expect(bench.takeEffects() == [.connection(nodeID: "A", state: .lost)])
        // What libzmq still held of the dead connection must not revive it.
        bench.tick("A", brokerText(at(5)), descriptor: 9, at(5))
        #expect(bench.takeEffects() == [])
        bench.engine.connectionAccepted(11)
        bench.tick("A", brokerText(at(7)), descriptor: 11, at(7))
        #expect(bench.takeEffects() == [.connection(nodeID: "A", state: .up)])
        let statistics = bench.engine.connectionStatistics
        #expect(statistics.accepted == 2)
        #expect(statistics.disconnects == 1)
        #expect(statistics.current == 1)
        #expect(statistics.peak == 1)
    }

    @Test func aSecondConnectionKeepsANodeUp() {
        var bench = TelemetryBench()
        bench.engine.connectionAccepted(9)
        bench.engine.connectionAccepted(10)
        bench.take(handshake("A"), descriptor: 9, at(0))
        bench.take(handshake("A"), descriptor: 10, at(1))
        _ = bench.takeEffects()
        bench.engine.connectionClosed(9, at: at(2), into: &bench.effects)
        #expect(bench.takeEffects() == [])
        bench.engine.connectionClosed(10, at: at(3), into: &bench.effects)
        #expect(bench.takeEffects() == [.connection(nodeID: "A", state: .lost)])
    }

    @Test func terminalsWithoutANameAreKnownByTheirConnection() throws {
        var bench = TelemetryBench()
        bench.engine.connectionAccepted(9)
        bench.engine.connectionAccepted(10)
        var startup = handshake(nil)
        startup.kind = .status
        bench.take(startup, descriptor: 9, at(0))
        let nodeID = "EA7_1_Demo"
        #expect(bench.takeEffects().first == .register(nodeID: nodeID, report: startup))
        let beat = TerminalReport(kind: .heartbeat)
        let isKnown = bench.take(beat, descriptor: 9, at(1))
        #expect(isKnown)
        #expect(bench.takeEffects() == [.heartbeat(nodeID: nodeID, report: beat)])
        let isStranger = !bench.take(beat, descriptor: 10, at(1))
        #expect(isStranger)
        // A second chart of the account: its goodbye doesn't end the node.
        bench.take(startup, descriptor: 10, at(2))
        _ = bench.takeEffects()
        _ = bench.engine.take(Disconnect(reason: "EA removed"), descriptor: 10, at: at(3), into: &bench.effects)
        #expect(bench.takeEffects() == [])
        bench.engine.connectionClosed(10, at: at(3), into: &bench.effects)
        _ = bench.engine.take(Disconnect(reason: "EA removed"), descriptor: 9, at: at(4), into: &bench.effects)
        #expect(bench.takeEffects() == [.disconnect(nodeID: nodeID, userUUID: nil, reason: "EA removed")])
        #expect(try #require(bench.engine.brokers.first).handshakes == 2)
    }

    @Test func anUnknownNodesServerIsAskedForOnceInHalfAMinute() {
        var bench = TelemetryBench()
        var asked = 0
        for step in 0..<100 {
            if bench.tick("A", brokerText(at(Double(step))), descriptor: 9, at(Double(step)))?.contains(.server) == true
            {
                asked += 1
            }
            if step == 60 { bench.engine.learn(server: "Demo", broker: nil, of: "A", at: at(60)) }
        }
        #expect(asked == 3)
        #expect(bench.engine.brokers.first?.ticks == 39)
    }

    @Test func inventedNodesDoNotGrowTheTable() {
        var bench = TelemetryBench(nodeLimit: 100)
        for index in 0..<5_000 { bench.tick("N\(index)", "", descriptor: -1, at(Double(index) / 100)) }
        #expect(bench.engine.nodeCount == 100)
        #expect(bench.engine.unfollowed > 4_000)
        // When they have been quiet for ten minutes a real one finds room.
        #expect(bench.tick("real", "", descriptor: -1, at(10_000)) != nil)
        #expect(bench.engine.nodeCount == 1)
    }

    @Test func connectionsFollowNodesWhenTheTableIsCleared() {
        var bench = TelemetryBench(nodeLimit: 3)
        bench.tick("quiet", "", descriptor: -1, at(0))
        bench.engine.connectionAccepted(9)
        bench.take(handshake("A"), descriptor: 9, at(0))
        bench.tick("other", "", descriptor: -1, at(0))
        bench.tick("newcomer", "", descriptor: -1, at(2_000))
        #expect(bench.engine.nodeCount == 2)
        _ = bench.takeEffects()
        bench.engine.connectionClosed(9, at: at(2_001), into: &bench.effects)
        #expect(bench.takeEffects() == [.connection(nodeID: "A", state: .lost)])
    }

    @Test func thousandsOfNodesKeepTheirOwnBrokers() {
        var bench = TelemetryBench(nodeLimit: 10_000)
        for index in 0..<5_000 {
            bench.take(handshake("NODE_\(index)_1", server: "S\(index % 7)"), descriptor: -1, at(0))
        }
        for index in 0..<5_000 { bench.tick("NODE_\(index)_1", brokerText(at(1)), descriptor: -1, at(1)) }
        #expect(bench.engine.brokers.map(\.ticks).reduce(0, +) == 5_000)
        #expect(bench.engine.brokers.count == 7)
        let changed = bench.engine.takeChangedBrokers()
        #expect(changed.count == 7)
        let again = bench.engine.takeChangedBrokers()
        #expect(again.isEmpty)
    }
}
