import Domain
import Testing

@testable import Trading

/// A terminal that PULLs says nothing on the command port: which connection is whose is judged by its address.
@Suite("Whose PULL it is") struct PullPeersTests {
    private static let home = "192.0.2.7"
    private static let away = "198.51.100.9"

    /// A 2.02 of user_1 whose telemetry comes from its home, on a listener of its own.
    private func ready(own: Bool = true, telemetry: String? = PullPeersTests.home) -> TrackerFixture {
        var policy = TrackerFixture.policy
        policy.commandListeners = CommandListeners(hasPush: true, ownPush: own ? ["user_1"] : [])
        var fixture = TrackerFixture(policy: policy)
        introduce("user_1", "NODE_1_1", telemetry, &fixture)
        fixture.moveMarket()
        return fixture
    }

    private func introduce(_ user: String, _ node: String, _ address: String?, _ fixture: inout TrackerFixture) {
        var report = TerminalReport(kind: .handshake)
        report.userUUID = user
        report.nodeID = node
        report.server = TrackerFixture.server
        report.account = "11"
        report.currency = "USD"
        report.balance = "10000.00"
        report.equity = "10000.00"
        report.version = "2.02"
        report.chartSymbol = "EURUSD"
        report.symbols = ["EURUSD"]
        fixture.engine.nodeChanged(report, isActive: true)
        fixture.engine.nodeSpeaks(node, from: address)
    }

    private func dial(_ number: Int32, _ address: String, _ fixture: inout TrackerFixture, own: Bool = true) {
        fixture.engine.pullOpened(
            TerminalLink(number: number, address: address), owner: own ? "user_1" : nil, now: fixture.now)
    }

    private func judge(_ fixture: inout TrackerFixture) -> [IdentityConflict] {
        fixture.outputs = []
        fixture.engine.judgePulls(now: fixture.now, into: &fixture.outputs)
        return fixture.outputs.compactMap {
            if case .terminal(.conflict(_, _, let conflict)) = $0 { conflict } else { nil }
        }
    }

    @Test("nobody there is node_offline; the one from his address is sent to", arguments: [true, false])
    func one(own: Bool) {
        var fixture = ready(own: own)
        let missing = fixture.fire(TrackerFixture.request()).first?.denial
        #expect(missing?.reason == .nodeOffline && missing?.message.contains("no PULL") == true)
        dial(1, PullPeersTests.home, &fixture, own: own)
        #expect(fixture.engine.pullLink(of: "user_1") == 1)
        #expect(fixture.fire(TrackerFixture.request()).first?.state == .sent)
        #expect(judge(&fixture).isEmpty)
        fixture.engine.pullLost(1)
        #expect(fixture.engine.pullLink(of: "user_1") == nil)
    }

    @Test("a stranger alone gets nothing, is named, and stands in nobody's way when the user's own is there")
    func stranger() {
        var fixture = ready()
        dial(1, PullPeersTests.away, &fixture)
        let denial = fixture.fire(TrackerFixture.request()).first?.denial
        #expect(denial?.reason == .identityConflict)
        #expect(denial?.message.contains(PullPeersTests.away) == true)
        #expect(denial?.message.contains(PullPeersTests.home) == true)
        #expect(fixture.sentFires.isEmpty)
        let close = fixture.engine.close(ticket: 5, of: "user_1", now: fixture.now, into: &fixture.outputs)
        #expect(close.commands == 0 && close.denial?.reason == .identityConflict, "closes go to nobody else either")
        let told = judge(&fixture)
        #expect(told.map(\.kind) == [.twoAddresses] && told.map(\.isFencing) == [false])
        #expect(judge(&fixture).isEmpty, "told once")
        dial(2, PullPeersTests.home, &fixture)
        #expect(fixture.engine.pullLink(of: "user_1") == 2)
        #expect(fixture.fire(TrackerFixture.request("f2")).first?.state == .sent)
        #expect(judge(&fixture).isEmpty)
    }

    @Test("the doubt lasts as long as the stranger is there, and ends by itself two minutes after")
    func ends() {
        var fixture = ready()
        dial(1, PullPeersTests.away, &fixture)
        #expect(judge(&fixture).count == 1)
        for _ in 0..<300 {
            fixture.pass(milliseconds: 1000)
            #expect(judge(&fixture).isEmpty)
            fixture.engine.advanceIdentities(to: fixture.now, into: &fixture.outputs)
        }
        #expect(fixture.engine.terminals["user_1"]?.conflict?.kind == .twoAddresses)
        fixture.engine.pullLost(1)
        fixture.pass(milliseconds: TerminalRegister.conflictMilliseconds + 1)
        #expect(judge(&fixture).isEmpty)
        fixture.engine.advanceIdentities(to: fixture.now, into: &fixture.outputs)
        #expect(fixture.engine.terminals["user_1"]?.conflict == nil)
    }

    @Test("two from his address: nobody can say which is his, and a restart is no doubt")
    func several() {
        var fixture = ready()
        dial(1, PullPeersTests.home, &fixture)
        dial(2, PullPeersTests.home, &fixture)
        #expect(fixture.engine.pullLink(of: "user_1") == nil)
        #expect(fixture.fire(TrackerFixture.request()).first?.denial?.reason == .identityConflict)
        #expect(judge(&fixture).isEmpty, "the old one may be half open: it is asked first")
        fixture.pass(milliseconds: PositionTrackerEngine.pullsSettledMilliseconds)
        #expect(judge(&fixture).map(\.kind) == [.takenOver])
        fixture.engine.pullLost(1)
        fixture.moveMarket()
        #expect(fixture.fire(TrackerFixture.request("f2")).first?.state == .sent)
    }

    @Test("an operator's word goes before what was seen")
    func bound() {
        var fixture = ready()
        dial(1, PullPeersTests.away, &fixture)
        var user = User(uuid: "user_1", tier: "COMMANDER", createdAt: fixture.now)
        user.addresses = .only(["203.0.113.1", PullPeersTests.away])
        fixture.engine.restore(user: user)
        #expect(fixture.engine.pullLink(of: "user_1") == 1)
        user.addresses = .any
        fixture.engine.restore(user: user)
        #expect(fixture.engine.pullLink(of: "user_1") == 1)
        dial(2, PullPeersTests.home, &fixture)
        #expect(fixture.engine.pullLink(of: "user_1") == nil, "from anywhere: then two are two")
    }

    @Test("where nothing is known of the address the only one is taken, as on the ROUTER")
    func unknownAddress() {
        var fixture = ready(telemetry: nil)
        dial(1, PullPeersTests.away, &fixture)
        #expect(fixture.engine.pullLink(of: "user_1") == 1)
        fixture.engine.nodeSpeaks("NODE_1_1", from: PullPeersTests.home)
        #expect(fixture.engine.pullLink(of: "user_1") == nil, "once it is known it counts")
    }

    /// Somebody speaks in the user's name on the ROUTER.
    private func speak(_ number: Int32, _ address: String, _ fixture: inout TrackerFixture) -> String? {
        var report = TerminalReport(kind: .heartbeat)
        report.userUUID = "user_1"
        report.nodeID = "NODE_1_1"
        fixture.outputs = []
        return fixture.engine.heard(
            report, identity: Array("stranger".utf8), on: TerminalLink(number: number, address: address),
            now: fixture.now, into: &fixture.outputs)
    }

    @Test("who speaks in its name on the ROUTER from elsewhere takes nothing over", arguments: [true, false])
    func spokenElsewhere(isConnected: Bool) {
        var fixture = ready()
        if isConnected { dial(1, PullPeersTests.home, &fixture) }
        for number in 7..<10 as Range<Int32> {
            let refusal = speak(number, PullPeersTests.away, &fixture) ?? ""
            #expect(refusal.contains(PullPeersTests.home) && refusal.contains(PullPeersTests.away))
            #expect(!fixture.outputs.contains { if case .rememberIdentity = $0 { true } else { false } })
            let told = fixture.outputs.contains { if case .terminal(.conflict) = $0 { true } else { false } }
            #expect(told == (number == 7), "told once")
        }
        let terminal = fixture.engine.terminals["user_1"]
        #expect(terminal?.identity == nil && terminal?.link == nil && terminal?.address == nil)
        #expect(terminal?.conflict?.kind == .takenOver && terminal?.conflict?.isFencing == false)
        #expect(fixture.engine.commandSocket(of: "user_1") == .pull)
        let answer = fixture.fire(TrackerFixture.request()).first
        #expect(isConnected ? answer?.state == .sent : answer?.denial?.reason == .nodeOffline)
        // Where an operator ends the doubt while the stranger is still there, it is the same again.
        _ = fixture.engine.clearConflict(
            of: "user_1", by: "operator", reason: "a test", now: fixture.now, into: &fixture.outputs)
        #expect(speak(7, PullPeersTests.away, &fixture) != nil)
        #expect(fixture.engine.commandSocket(of: "user_1") == .pull)
        for number in 7..<10 as Range<Int32> {
            fixture.engine.lost(
                TerminalLink(number: number, address: ""), now: fixture.now, into: &fixture.outputs)
        }
        fixture.pass(milliseconds: TerminalRegister.conflictMilliseconds + 1)
        fixture.engine.advanceIdentities(to: fixture.now, into: &fixture.outputs)
        #expect(fixture.engine.terminals["user_1"]?.conflict == nil)
    }

    @Test("from its own address, and where an operator says so, it is believed on the ROUTER as ever")
    func spokenAtHome() {
        var fixture = ready()
        #expect(speak(7, PullPeersTests.home, &fixture) == nil)
        #expect(fixture.engine.terminals["user_1"]?.link?.number == 7)
        for rule in [AddressRule.any, .only([PullPeersTests.away])] {
            var fixture = ready()
            var user = User(uuid: "user_1", tier: "COMMANDER", createdAt: fixture.now)
            user.addresses = rule
            fixture.engine.restore(user: user)
            #expect(speak(7, PullPeersTests.away, &fixture) == nil)
        }
        // The customer has a 2.05 now, and its handshake has told so.
        var changed = ready()
        #expect(speak(7, PullPeersTests.away, &changed) != nil)
        var report = TerminalReport(kind: .handshake)
        (report.userUUID, report.nodeID, report.version) = ("user_1", "NODE_1_2", "2.05")
        changed.engine.nodeChanged(report, isActive: true)
        changed.engine.nodeSpeaks("NODE_1_2", from: PullPeersTests.away)
        #expect(speak(7, PullPeersTests.away, &changed) == nil)
    }

    @Test("a listener of one's own is nobody else's")
    func listeners() {
        var fixture = ready()
        introduce("user_2", "NODE_2_2", PullPeersTests.home, &fixture)
        dial(1, PullPeersTests.home, &fixture)
        #expect(fixture.engine.pullLink(of: "user_1") == 1 && fixture.engine.pullLink(of: "user_2") == nil)
        dial(2, PullPeersTests.home, &fixture, own: false)
        #expect(fixture.engine.pullLink(of: "user_1") == 1 && fixture.engine.pullLink(of: "user_2") == 2)
    }
}
