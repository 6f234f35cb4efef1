import Domain
import Fleet
import Testing

@Suite struct NodeRegistryTests {
    @Test func helloAndHandshakeOfOneStartAreOneSession() throws {
        var bench = RegistryBench()
        let hello = bench.send(registration("A", account: nil, server: nil, via: .hello, received: 0), 0)
        let handshake = bench.send(registration("A", received: 0.1), 0.1)
        #expect(hello.record?.sessionID == handshake.record?.sessionID)
        let node = try #require(bench.node("A"))
        #expect(node.connections == 1)
        #expect(node.details[.account] == "1")
        #expect(bench.engine.activeCount == 1)
    }

    @Test func aNewNodeOfTheSameUserReplacesTheOldOne() throws {
        var bench = RegistryBench()
        bench.send(registration("A", received: 0), 0)
        bench.send(heartbeat("A", received: 30), 30)
        let outcome = bench.send(registration("B", received: 40), 40)
        #expect(outcome.replaced == "A")
        #expect(bench.events == [.replaced, .registered])
        let old = try #require(bench.node("A"))
        #expect(old.status == .replaced)
        #expect(old.replacedBy == "B")
        #expect(old.uptime == 30_000)
        #expect(bench.engine.node(.user("user_1"))?.nodeID == "B")
        #expect(bench.engine.activeCount == 1)
    }

    @Test func aLateFrameNeverTakesOverFromANewerNode() {
        var bench = RegistryBench()
        bench.send(registration("A", received: 0), 0)
        bench.send(registration("B", received: 10), 10)
        // A repeated request, another port's backlog, a heartbeat that was under way.
        bench.send(registration("A", received: 0), 11)
        bench.send(registration("A", via: .hello, received: 11), 11)
        #expect(bench.send(heartbeat("A", received: 12), 12) == .ignored("replaced"))
        #expect(bench.engine.node(.user("user_1"))?.nodeID == "B")
        #expect(bench.node("A")?.ignoredHeartbeats == 1)
        #expect(bench.node("B")?.status == .active)
    }

    @Test func aRegistrationReceivedBeforeTheRunningNodeConnectedIsReplacedAtOnce() {
        var bench = RegistryBench()
        bench.send(registration("B", received: 10), 10)
        let outcome = bench.send(registration("A", received: 5), 11)
        #expect(outcome.record?.status == .replaced)
        #expect(bench.engine.node(.user("user_1"))?.nodeID == "B")
        #expect(bench.engine.activeCount == 1)
    }

    @Test func disconnectEndsANodeWithItsReasonAndKeepsItsUptime() throws {
        var bench = RegistryBench()
        bench.send(registration("A", received: 0), 0)
        #expect(bench.send(end("A", "Parameters changed", received: 12), 12) == .accepted)
        let node = try #require(bench.node("A"))
        #expect(node.status == .disconnected)
        #expect(node.disconnectReason == "Parameters changed")
        #expect(node.uptime == 12_000)
        #expect(bench.engine.activeCount == 0)
        #expect(bench.send(heartbeat("A", received: 13), 13) == .ignored("disconnected"))
        #expect(bench.node("A")?.uptime == 12_000)
    }

    @Test func aHandshakeAfterItsOwnDisconnectIsANewConnection() throws {
        var bench = RegistryBench()
        let first = bench.send(registration("A", received: 0), 0)
        bench.send(end("A", received: 10), 10)
        let second = bench.send(registration("A", received: 20), 20)
        #expect(first.record?.sessionID != second.record?.sessionID)
        bench.send(end("A", received: 25), 25)
        let node = try #require(bench.node("A"))
        #expect(node.connections == 2)
        #expect(node.uptime == 15_000)
    }

    @Test func aHelloJustBehindTheDisconnectIsOfThePast() {
        var bench = RegistryBench()
        bench.send(registration("A", received: 0), 0)
        bench.send(end("A", received: 10), 10)
        bench.send(registration("A", via: .hello, received: 11), 11)
        #expect(bench.node("A")?.status == .disconnected)
    }

    @Test func aTimedOutNodeComesBackWithItsHeartbeat() throws {
        var bench = RegistryBench()
        bench.send(registration("A", received: 0), 0)
        bench.send(heartbeat("A", received: 30), 30)
        bench.send(end("A", NodeEnd.timeoutReason, received: 91), 91)
        #expect(bench.node("A")?.status == .timeout)
        #expect(bench.node("A")?.liveness == .dead)
        // Silence is no uptime.
        #expect(bench.node("A")?.uptime == 30_000)
        let session = try #require(bench.node("A")).sessionID
        bench.send(heartbeat("A", received: 100), 100)
        #expect(bench.events == [.recovered])
        let node = try #require(bench.node("A"))
        #expect(node.status == .active)
        #expect(node.sessionID != session)
        #expect(node.connections == 2)
        bench.send(heartbeat("A", received: 130), 130)
        #expect(bench.node("A")?.uptime == 60_000)
    }

    @Test func aJudgementThatANewerSignOvertookIsVoid() {
        var bench = RegistryBench()
        bench.send(registration("A", received: 0), 0)
        bench.send(heartbeat("A", received: 61), 61)
        let judged = NodeEnd(nodeID: "A", reason: "timeout", receivedAt: at(61), judgedLastSeen: at(0))
        #expect(bench.send(.disconnect(judged), 62) == .ignored("heard_since"))
        #expect(bench.node("A")?.status == .active)
    }

    @Test func aLostConnectionThatReturnsCountsOnce() throws {
        var bench = RegistryBench()
        bench.send(registration("A", received: 0), 0)
        for port in NodePort.allCases {
            bench.send(.connection(nodeID: "A", port: port, state: .up, at: at(0)), 0)
        }
        bench.send(.connection(nodeID: "A", port: .telemetry, state: .lost, at: at(20)), 20)
        #expect(bench.node("A")?.connection == .up)
        bench.send(.connection(nodeID: "A", port: .commands, state: .lost, at: at(20)), 20)
        #expect(bench.node("A")?.connection == .lost)
        bench.send(.connection(nodeID: "A", port: .commands, state: .up, at: at(30)), 30)
        bench.send(.connection(nodeID: "A", port: .telemetry, state: .up, at: at(30)), 30)
        bench.send(heartbeat("A", received: 40), 40)
        let node = try #require(bench.node("A"))
        #expect(node.connections == 2)
        #expect(node.uptime == 30_000)
    }

    @Test func anUnknownHeartbeatRegistersWhatIsKnown() throws {
        var bench = RegistryBench()
        #expect(bench.send(heartbeat("A", received: 0, isTicks: true), 0) == .accepted)
        #expect(bench.node("A")?.heartbeats == 0)
        bench.send(registration("B", received: 1), 1)
        // The user shows with the next real heartbeat; the newer claim wins.
        bench.send(.heartbeat(Heartbeat(nodeID: "A", details: details(user: "user_1"), receivedAt: at(5))), 5)
        #expect(bench.node("B")?.status == .replaced)
        #expect(bench.engine.node(.user("user_1"))?.nodeID == "A")
        #expect(bench.engine.activeCount == 1)
    }

    @Test func aLivingNodeBelongsToOneUser() {
        var bench = RegistryBench()
        bench.send(registration("A", user: "owner", received: 0), 0)
        #expect(bench.send(registration("A", user: "thief", received: 1), 1).refusal == "identity_conflict")
        bench.send(end("A", received: 2), 2)
        #expect(bench.send(registration("A", user: "other", received: 3), 3).record?.details[.userUUID] == "other")
        #expect(bench.engine.node(.user("owner")) == nil)
    }

    @Test func switchingAccountsMakesANewNodeForTheSameUser() throws {
        var bench = RegistryBench()
        bench.send(registration("A", received: 0), 0)
        let change = AccountSwitch(
            nodeID: "A", newNodeID: "B", details: details(account: "2", [.balance: "5.00"]), receivedAt: at(10))
        let outcome = bench.send(.switchAccount(change), 10)
        #expect(outcome.replaced == "A")
        let node = try #require(outcome.record)
        #expect(node.nodeID == "B")
        #expect(node.details[.userUUID] == "user_1")
        #expect(node.details[.server] == "Demo")
        #expect(bench.events.last == .switched)
        #expect(bench.engine.node(.account("2", server: "Demo"))?.nodeID == "B")
        let unknown = AccountSwitch(nodeID: "X", newNodeID: nil, details: details(account: "2"), receivedAt: at(11))
        #expect(bench.send(.switchAccount(unknown), 11).refusal == "unknown_node")
        let nameless = AccountSwitch(nodeID: "B", newNodeID: nil, details: NodeDetails(), receivedAt: at(11))
        #expect(bench.send(.switchAccount(nameless), 11).refusal == "missing_field")
        #expect(bench.engine.activeCount == 1)
    }
}
