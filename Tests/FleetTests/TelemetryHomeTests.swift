import Domain
import Testing

@testable import Fleet

@Suite("From where a terminal speaks on the telemetry port") struct TelemetryHomeTests {
    private func beat(_ address: String?, _ seconds: Double, isBelieved: Bool = false) -> RegistryRequest {
        var details = NodeDetails()
        details[.equity] = address == "10.0.0.1" ? "100.00" : "1.00"
        details[.peerAddress] = address
        var beat = Heartbeat(nodeID: "N1", details: details, receivedAt: at(seconds))
        beat.isBelieved = isBelieved
        return .heartbeat(beat)
    }

    private func registered() -> RegistryBench {
        var bench = RegistryBench()
        var details = details(user: "user_1", account: "1", server: "Demo")
        details[.peerAddress] = "10.0.0.1"
        bench.send(.register(Registration(nodeID: "N1", details: details, via: .handshake, receivedAt: at(0))), 0)
        return bench
    }

    @Test("figures, a handshake and a goodbye from elsewhere change nothing of a node that is there, and are told once")
    func foreign() {
        var bench = registered()
        bench.send(beat("10.0.0.1", 1), 1)
        var told = 0
        for second in stride(from: 2.0, to: 60, by: 1) {
            let row = bench.node("N1")
            let outcome = bench.send(beat("10.0.0.9", second), second)
            #expect(outcome.refusal == "identity_conflict")
            told += bench.events.count
            var details = details(user: "user_1", account: "2", server: "Other")
            details[.peerAddress] = "10.0.0.9"
            let registration = Registration(nodeID: "N1", details: details, via: .handshake, receivedAt: at(second))
            #expect(bench.send(.register(registration), second).refusal == "identity_conflict")
            told += bench.events.count
            var end = NodeEnd(nodeID: "N1", reason: "forged", receivedAt: at(second))
            end.peerAddress = "10.0.0.9"
            #expect(bench.send(.disconnect(end), second).refusal == "identity_conflict")
            told += bench.events.count
            #expect(bench.node("N1")?.details == row?.details)
            #expect(bench.node("N1")?.lastSeen == row?.lastSeen && bench.node("N1")?.status == .active)
        }
        #expect(told == 1)
        #expect(bench.node("N1")?.identityConflict?.kind == NodeConflict.twoAddresses)
        #expect(bench.node("N1")?.identityConflict?.isHeldBack == false)
    }

    @Test("whom the fence vouches for is believed from anywhere, and so is he whose connection was lost")
    func believed() {
        var bench = registered()
        #expect(bench.send(beat("10.0.0.2", 1, isBelieved: true), 1).refusal == nil)
        #expect(bench.node("N1")?.details[.peerAddress] == "10.0.0.2")
        #expect(bench.send(beat("10.0.0.3", 2), 2).refusal != nil)
        bench.send(.connection(nodeID: "N1", port: .telemetry, state: .up, at: at(3)), 3)
        bench.send(.connection(nodeID: "N1", port: .telemetry, state: .lost, at: at(4)), 4)
        #expect(bench.send(beat("10.0.0.3", 5), 5).refusal == nil, "his address changed")
    }

    @Test(
        "what the telemetry port refused is an informational doubt that ends by itself, and no graver one is lost by it"
    )
    func notice() {
        var bench = registered()
        var conflict = NodeConflict(kind: NodeConflict.twoAddresses, since: at(1), text: "told elsewhere", action: "")
        conflict.addresses = ["10.0.0.9"]
        let notice = ConflictNotice(nodeID: "N1", userUUID: "user_1", conflict: conflict, receivedAt: at(1))
        bench.send(.foreign(notice), 1)
        #expect(bench.events == [.conflict] && bench.node("N1")?.identityConflict?.isHeldBack == false)
        var effects: [RegistryEffect] = []
        bench.engine.reviewConflicts(at: at(200), into: &effects)
        #expect(bench.node("N1")?.identityConflict == nil)
        let graver = NodeConflict(kind: "taken_over", since: at(201), text: "two speak", action: "find him")
        bench.send(
            .conflict(ConflictNotice(nodeID: "N1", userUUID: "user_1", conflict: graver, receivedAt: at(201))), 201)
        bench.send(.foreign(notice), 202)
        #expect(bench.node("N1")?.identityConflict?.kind == "taken_over" && bench.events.isEmpty)
    }

    @Test("a node's home is the address of the open connection it introduced itself on")
    func home() {
        var engine = TelemetryEngine(nodeLimit: 1000, seed: 5)
        var effects: [TelemetryEffect] = []
        engine.connectionAccepted(5)
        engine.connectionAccepted(6)
        var report = TerminalReport(kind: .handshake)
        report.nodeID = "N1"
        report.userUUID = "user_1"
        _ = engine.take(report, descriptor: 5, peer: "10.0.0.1", at: at(0), into: &effects)
        #expect(engine.home(of: "N1", besides: "10.0.0.9") == "10.0.0.1")
        #expect(engine.home(of: "N1", besides: "10.0.0.1") == nil)
        #expect(engine.home(of: "N2", besides: "10.0.0.9") == nil)
        engine.connectionClosed(5, at: at(1), into: &effects)
        #expect(engine.home(of: "N1", besides: "10.0.0.9") == nil, "it may have moved")
        engine.connectionAccepted(5)
        #expect(engine.home(of: "N1", besides: "10.0.0.9") == nil, "the number is somebody else's now")
    }

    @Test("a quote is asked about once for each connection it comes on, and notes nothing before")
    func speaker() throws {
        var engine = TelemetryEngine(nodeLimit: 1000, seed: 5)
        var effects: [TelemetryEffect] = []
        for descriptor in [5, 6] as [Int32] { engine.connectionAccepted(descriptor) }
        engine.learn(server: "Demo", broker: nil, of: "N1", at: at(0))
        func quote(_ engine: inout TelemetryEngine, on descriptor: Int32?, _ seconds: Double) throws -> Bool {
            var (node, time) = ("N1", "1700000000")
            let seen = node.withUTF8 { node in
                time.withUTF8 { engine.tick(nodeID: node, on: descriptor, timestamp: $0, at: at(seconds)) }
            }
            return try #require(seen).notice == .speaker
        }
        #expect(try quote(&engine, on: 5, 1))
        #expect(engine.takeChangedBrokers().allSatisfy { $0.ticks == 0 }, "a stranger's quote counts nowhere")
        let index = engine.index(of: "N1", at: at(1))
        let node = try #require(index)
        engine.believe(node, on: 5, from: "10.0.0.1", at: at(1))
        #expect(try !quote(&engine, on: 5, 1.5))
        #expect(try quote(&engine, on: 6, 1.6), "another connection is another speaker")
        #expect(try !quote(&engine, on: 5, 2.9))
        #expect(try quote(&engine, on: 5, 3.1), "the list of addresses may be another one by now")
        engine.believe(node, on: 5, from: "10.0.0.1", at: at(4))
        engine.connectionClosed(5, at: at(4.5), into: &effects)
        engine.connectionAccepted(5)
        #expect(try quote(&engine, on: 5, 4.6), "the number is somebody else's now")
        engine.believe(node, on: 5, from: "10.0.0.1", at: at(5))
        engine.restoreStanding("N1", ["family": "2.05", "user_uuid": "anna"], at: at(5), into: &effects)
        #expect(try quote(&engine, on: 5, 5.1), "whose it is was learned meanwhile")
        #expect(try quote(&engine, on: -1, 5.2))
    }

    @Test("names that one connection claims are no quotas, unless it is of this machine")
    func shares() {
        var book = ConnectionBook()
        book.accepted(5, isShared: false)
        book.accepted(6)
        for node in 0..<64 { for descriptor in [5, 6] as [Int32] { _ = book.attach(node, to: descriptor) } }
        #expect(book.shares(of: 5) == 1)
        #expect(book.shares(of: 6) == 64)
    }
}
