import Domain
import Testing

@testable import Trading

@Suite("Routing identities over a restart") struct TrackerIdentityTests {
    private func hear(_ user: String, _ identity: [UInt8], _ fixture: inout TrackerFixture) {
        fixture.outputs = []
        fixture.connect(user, node: "NODE_\(user)", identity: identity)
    }

    private func kept(_ fixture: TrackerFixture) -> [[UInt8]] {
        fixture.outputs.compactMap { if case .rememberIdentity(_, _, let identity, _) = $0 { identity } else { nil } }
    }

    private func register(_ user: String, _ fixture: inout TrackerFixture, isActive: Bool = true) {
        var report = TerminalReport(kind: .handshake)
        report.userUUID = user
        report.nodeID = "NODE_\(user)"
        fixture.engine.nodeChanged(report, isActive: isActive)
    }

    @Test("an identity is written down when it is new, and once a minute")
    func remembers() {
        var fixture = TrackerFixture()
        hear("user_1", [1, 2, 3], &fixture)
        #expect(kept(fixture) == [[1, 2, 3]])
        hear("user_1", [1, 2, 3], &fixture)
        #expect(kept(fixture).isEmpty)
        fixture.pass(milliseconds: 60_000)
        hear("user_1", [1, 2, 3], &fixture)
        #expect(kept(fixture) == [[1, 2, 3]])
        fixture.pass(milliseconds: 121_000)
        hear("user_1", [4, 5], &fixture)
        #expect(kept(fixture) == [[4, 5]])
        hear("user_2", [0, 9, 9, 9, 9], &fixture)
        #expect(kept(fixture).isEmpty, "one that libzmq made up is gone with its connection")
    }

    @Test("a kept identity routes until the terminal is heard; what it then says counts")
    func restores() throws {
        var fixture = TrackerFixture()
        register("user_1", &fixture)
        fixture.engine.restore(identity: [7], user: "user_1", node: "NODE_user_1")
        let terminal = try #require(fixture.engine.terminals["user_1"])
        #expect(fixture.engine.route(to: terminal) == [7])
        hear("user_1", [8], &fixture)
        let heard = try #require(fixture.engine.terminals["user_1"])
        #expect(fixture.engine.route(to: heard) == [8] && !heard.isDoubtful(fixture.now))
        fixture.engine.restore(identity: [7], user: "user_1", node: "NODE_user_1")
        #expect(fixture.engine.terminals["user_1"]?.identity == [8])
    }

    @Test("nothing is restored for a node that is not active, or another one than the kept")
    func refuses() {
        var fixture = TrackerFixture()
        register("user_1", &fixture)
        register("user_1", &fixture, isActive: false)
        fixture.engine.restore(identity: [7], user: "user_1", node: "NODE_user_1")
        #expect(fixture.engine.terminals["user_1"]?.identity == nil)
        register("user_2", &fixture)
        fixture.engine.restore(identity: [7], user: "user_2", node: "NODE_older")
        #expect(fixture.engine.terminals["user_2"]?.identity == nil)
    }

    @Test("where two users were kept under one identity, nobody is reached by it until he is heard")
    func shared() {
        var fixture = TrackerFixture()
        for user in ["user_1", "user_2", "user_3"] {
            register(user, &fixture)
            fixture.engine.restore(identity: [7], user: user, node: "NODE_\(user)")
        }
        #expect(fixture.engine.terminals.byUser.values.allSatisfy { $0.identity == nil })
    }

    @Test("from where a user spoke is known without his terminal too, and goes with his registration")
    func addresses() {
        var fixture = TrackerFixture()
        for user in ["anna", "bert"] { fixture.engine.restore(address: "192.0.2.1", user: user) }
        register("bert", &fixture)
        #expect(fixture.engine.terminals.addressed == ["anna", "bert"])
        for user in ["anna", "bert"] {
            #expect(fixture.engine.terminals.learnedAddress(of: user) == "192.0.2.1")
            fixture.engine.remove(user: user)
            #expect(fixture.engine.terminals.learnedAddress(of: user) == nil)
        }
    }

    @Test("from where a user spoke stays known when his terminal is let go of to make room")
    func addressesOutliveTerminals() {
        var fixture = TrackerFixture()
        fixture.engine.restore(address: "192.0.2.1", user: "anna")
        register("anna", &fixture)
        fixture.engine.terminals.keptAddresses = [:]
        register("anna", &fixture, isActive: false)
        fixture.engine.terminals.makeRoom(Timestamp(milliseconds: 3_600_000))
        #expect(fixture.engine.terminals["anna"] == nil)
        #expect(fixture.engine.terminals.learnedAddress(of: "anna") == "192.0.2.1")
    }

    @Test("made-up names drive out each other's addresses, oldest first, and no registered user's")
    func madeUpNames() {
        var fixture = TrackerFixture()
        let most = TerminalRegister.maximumStrangers
        fixture.engine.restore(user: User(uuid: "anna", tier: "RECRUIT", createdAt: fixture.now))
        for number in 0..<(most + 500) {
            // Kept first of all, and registered; and one who has a terminal.
            if number == 0 { fixture.engine.restore(address: "192.0.2.1", user: "anna") }
            if number == 1 { fixture.engine.restore(address: "192.0.2.2", user: "bert") }
            fixture.engine.restore(address: "198.51.100.1", user: "made_up_\(number)")
        }
        register("bert", &fixture)
        fixture.engine.forgetStrangers()
        #expect(fixture.engine.terminals.keptAddresses.count == most + 1)
        for (user, address) in [
            ("anna", "192.0.2.1"), ("bert", "192.0.2.2"), ("made_up_0", nil), ("made_up_499", nil),
            ("made_up_500", "198.51.100.1"), ("made_up_\(most + 499)", "198.51.100.1"),
        ] as [(String, String?)] {
            #expect(fixture.engine.terminals.learnedAddress(of: user) == address, "\(user)")
        }
        // Full of others' names, it still takes a registered user's whose terminal goes.
        register("anna", &fixture)
        fixture.engine.terminals.keptAddresses["anna"] = nil
        register("anna", &fixture, isActive: false)
        let registered = fixture.engine.users
        fixture.engine.terminals.makeRoom(Timestamp(milliseconds: 3_600_000)) { registered[$0] != nil }
        #expect(fixture.engine.terminals["anna"] == nil)
        #expect(fixture.engine.terminals.learnedAddress(of: "anna") == "192.0.2.1")
        #expect(fixture.engine.terminals.keptAddresses.count <= most + 1)
    }

    @Test("a conflict takes the kept ones of both away")
    func conflict() {
        var fixture = TrackerFixture()
        hear("user_1", [7], &fixture)
        hear("user_2", [7], &fixture)
        let forgotten = fixture.outputs.compactMap { if case .forgetIdentity(let node) = $0 { node } else { nil } }
        #expect(forgotten == ["NODE_user_1"])
    }
}
