import Domain
import Fleet
import Testing

@Suite("Who is who in the registry") struct NodeIdentityTests {
    private func register(
        _ nodeID: String, _ user: String?, address: String? = nil, account: String = "1", server: String = "Demo",
        family: String? = nil, seconds: Double, broker: Int64? = nil, via: Registration.Via = .handshake
    ) -> RegistryRequest {
        var details = details(user: user, account: account, server: server)
        details[.peerAddress] = address
        details[.family] = family
        return .register(
            Registration(
                nodeID: nodeID, details: details, via: via, receivedAt: at(seconds), brokerSeconds: broker))
    }

    private func notice(_ kind: String, user: String, node: String? = nil) -> ConflictNotice {
        var conflict = NodeConflict(kind: kind, since: at(1), text: "two speak", action: "stop one")
        conflict.addresses = ["10.0.0.1", "10.0.0.2"]
        return ConflictNotice(nodeID: node, userUUID: user, conflict: conflict, receivedAt: at(1))
    }

    @Test("the fence's word is in the node's row with what to do, told once, and gone when it is cleared")
    func conflict() throws {
        var bench = RegistryBench()
        bench.send(register("N1", "user_1", seconds: 0), 0)
        bench.send(.conflict(notice("shared_identity", user: "user_1")), 1)
        #expect(bench.events == [.conflict])
        bench.send(.conflict(notice("shared_identity", user: "user_1")), 2)
        #expect(bench.events.isEmpty)
        let node = try #require(bench.node("N1"))
        let fields = Dictionary(uniqueKeysWithValues: node.fields.map { ($0.name, $0.value) })
        #expect(fields["identity_conflict"] == "shared_identity" && fields["identity_conflict_action"] == "stop one")
        #expect(NodeRecord(fields: fields)?.identityConflict?.kind == "shared_identity")
        bench.send(.conflictCleared(notice("shared_identity", user: "user_1")), 3)
        #expect(bench.events == [.conflictCleared])
        let cleared = try #require(bench.node("N1"))
        #expect(cleared.fields.contains { $0.name == "identity_conflict" && $0.value.isEmpty })
    }

    @Test("a doubt that was told before its terminal is registered, and one of a run that is replaced, are kept")
    func order() {
        var bench = RegistryBench()
        bench.send(.conflict(notice("taken_over", user: "user_1")), 0)
        bench.send(register("N1", "user_1", seconds: 1), 1)
        #expect(bench.node("N1")?.identityConflict?.kind == "taken_over")
        bench.send(register("N2", "user_1", seconds: 2), 2)
        #expect(bench.node("N2")?.identityConflict?.kind == "taken_over")
        #expect(bench.node("N1")?.identityConflict == nil)
    }

    @Test("a second address does not take a living terminal's place; a terminal that is gone yields")
    func addresses() {
        var bench = RegistryBench()
        bench.send(register("N1", "user_1", address: "10.0.0.1", seconds: 0), 0)
        let outcome1 = bench.send(register("N2", "user_1", address: "10.0.0.2", seconds: 1), 1)
        #expect(outcome1.refusal == "identity_conflict")
        #expect(bench.node("N1")?.status == .active && bench.node("N2") == nil)
        #expect(bench.node("N1")?.identityConflict?.kind == NodeConflict.twoAddresses)
        #expect(bench.events == [.conflict])
        bench.send(register("N2", "user_1", address: "10.0.0.2", seconds: 2), 2)
        #expect(bench.events.isEmpty, "told once")
        let outcome2 = bench.send(register("N3", "user_1", address: "10.0.0.1", seconds: 3), 3)
        #expect(outcome2.replaced == "N1", "a restart")
        let outcome3 = bench.send(register("N4", "user_1", address: "10.0.0.2", seconds: 200), 200)
        #expect(outcome3.replaced == "N3")
        var effects: [RegistryEffect] = []
        bench.engine.reviewConflicts(at: at(400), into: &effects)
        #expect(bench.engine.nodes.values.allSatisfy { $0.identityConflict == nil })
    }

    @Test("one account on two users' terminals is told, of the one that came later, until one leaves")
    func account() {
        var bench = RegistryBench()
        bench.send(register("N1", "user_1", account: "77", seconds: 0), 0)
        bench.send(register("N2", "user_2", account: "77", seconds: 1), 1)
        #expect(bench.node("N2")?.identityConflict?.kind == NodeConflict.accountOnTwoTerminals)
        #expect(bench.node("N1")?.identityConflict == nil && bench.node("N1")?.status == .active)
        var effects: [RegistryEffect] = []
        bench.engine.reviewConflicts(at: at(1_000), into: &effects)
        #expect(bench.node("N2")?.identityConflict != nil)
        bench.send(end("N1", received: 1_001), 1_001)
        bench.engine.reviewConflicts(at: at(1_002), into: &effects)
        #expect(bench.node("N2")?.identityConflict == nil)
        bench.send(register("N3", "user_3", account: "77", server: "Other", seconds: 1_003), 1_003)
        #expect(bench.node("N3")?.identityConflict == nil, "logins are unique per server only")
    }

    @Test("an account that changes in one terminal is a switch, its old node is replaced, its user stays")
    func switching() {
        var bench = RegistryBench()
        bench.send(register("NODE_1_5", "user_1", account: "1", seconds: 0), 0)
        let outcome4 = bench.send(register("NODE_2_6", "user_1", account: "2", seconds: 9), 9)
        #expect(outcome4.replaced == "NODE_1_5")
        #expect(bench.engine.node(.user("user_1"))?.details[.account] == "2")
        #expect(bench.engine.node(.account("1", server: "Demo"))?.status == .replaced)
        #expect(bench.engine.activeCount == 1)
    }

    @Test("seven charts of one 7.01 user are seven nodes; a nameless terminal of another family still has one place")
    func charts() {
        var bench = RegistryBench()
        for chart in 0..<7 { bench.send(register("C\(chart)", nil, account: "88", family: "7.01", seconds: 0), 0) }
        #expect(bench.engine.activeCount == 7)
        bench.send(register("O1", nil, account: "99", family: "own", seconds: 1), 1)
        bench.send(register("O2", nil, account: "99", family: "own", seconds: 2), 2)
        #expect(bench.node("O1")?.status == .replaced)
    }

    @Test(
        "a node id that comes again, since its clock begins at every boot, is a new run; a late word of the old one is not"
    )
    func wrappedNodeID() {
        var bench = RegistryBench()
        let broker = at(0).seconds + 10_800
        func beat(_ node: String, _ seconds: Double) {
            var details = details(user: "user_1", account: "1", server: "Demo")
            details[.balance] = "1"
            bench.send(
                .heartbeat(
                    Heartbeat(
                        nodeID: node, details: details, brokerSeconds: broker + Int64(seconds), receivedAt: at(seconds))
                ),
                seconds)
        }
        bench.send(register("NODE_1_43218", "user_1", seconds: 0, broker: broker), 0)
        for second in 1...5 { beat("NODE_1_43218", Double(second)) }
        bench.send(register("NODE_1_900", "user_1", seconds: 10, broker: broker + 10), 10)
        for second in 11...60 { beat("NODE_1_900", Double(second)) }
        // Out of a backlog: the handshake of the first run, a minute old.
        bench.send(register("NODE_1_43218", "user_1", seconds: 61, broker: broker), 61)
        #expect(bench.node("NODE_1_43218")?.status == .replaced && bench.node("NODE_1_900")?.status == .active)
        // The machine was booted, and its EA started at the same millisecond after it.
        bench.send(register("NODE_1_43218", "user_1", seconds: 62, broker: broker + 62), 62)
        #expect(bench.node("NODE_1_43218")?.status == .active && bench.node("NODE_1_900")?.status == .replaced)
        #expect(bench.node("NODE_1_43218")?.connections == 2)
    }

    @Test("anything is found by user, login, broker, session, node or address, in any case")
    func find() throws {
        var bench = RegistryBench()
        for number in 0..<200 {
            bench.send(
                register(
                    "NODE_\(7_000 + number)_1", "user_\(number)_0", address: "10.0.\(number).1",
                    account: "\(7_000 + number)", server: "Demo-\(number % 3)", seconds: 0), 0)
        }
        func found(_ text: String) -> [String] {
            var listing = NodeListing()
            listing.text = text
            listing.limit = 1000
            return bench.engine.list(listing).page.compactMap { $0.details[.userUUID] }
        }
        let session = try #require(bench.node("NODE_7042_1")?.sessionID)
        #expect(found(session) == ["user_42_0"])
        #expect(found("7042") == ["user_42_0"])
        #expect(found("USER_42_") == ["user_42_0"])
        #expect(found("10.0.42.1") == ["user_42_0"])
        #expect(found("demo-1").count == 67)
        #expect(found("nobody").isEmpty)
    }

    @Test("our clock set back an hour: nothing lies in the future, nothing is negative, a terminal that speaks is live")
    func clock() {
        var bench = RegistryBench()
        bench.send(register("N1", "user_1", seconds: 7_200), 7_200)
        bench.send(heartbeat("N1", received: 7_230), 7_230)
        bench.send(heartbeat("N1", received: 3_630), 3_630)
        let node = bench.node("N1")
        #expect(node?.lastSeen == at(3_630))
        #expect((node?.uptime ?? -1) >= 0)
        bench.send(heartbeat("N1", received: 3_660), 3_660)
        #expect(bench.node("N1")?.lastSeen == at(3_660))
        #expect((bench.node("N1")?.heartbeatJitter ?? 0) >= 0)
    }
}
