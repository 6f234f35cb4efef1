import Domain
import Testing

@testable import Trading

/// A command port with connections, as the fence sees it.
struct FenceBench {
    var engine = TrackerFixture().engine
    var now = TrackerFixture().now
    var outputs: [TrackerOutput] = []

    mutating func pass(_ milliseconds: Int64) {
        now = now.adding(milliseconds: milliseconds)
        outputs = []
        engine.advanceIdentities(to: now, into: &outputs)
    }

    @discardableResult
    mutating func hear(
        _ user: String, _ number: Int32, from address: String = "10.0.0.1", node: String? = nil,
        identity: String? = nil, account: String? = "1"
    ) -> String? {
        var report = TerminalReport(kind: .hello)
        report.userUUID = user
        report.nodeID = node ?? "NODE_\(user)"
        report.account = account
        report.server = "Demo"
        outputs = []
        let name = Array((identity ?? String(user.dropLast())).utf8)
        return engine.heard(
            report, identity: name, on: TerminalLink(number: number, address: address), now: now, into: &outputs)
    }

    mutating func lose(_ number: Int32) {
        outputs = []
        engine.lost(TerminalLink(number: number, address: ""), now: now, into: &outputs)
    }

    mutating func answer(_ number: Int32) {
        outputs = []
        engine.alive(TerminalLink(number: number, address: ""), now: now, into: &outputs)
    }

    /// Whether a command would leave for a user, and on which connection.
    func route(_ user: String) -> Int32? {
        guard let terminal = engine.terminals[user], !terminal.isDoubtful(now), terminal.identity != nil else {
            return nil
        }
        return terminal.link?.number
    }

    func kind(_ user: String) -> ConflictKind? {
        engine.terminals[user]?.conflict.flatMap { $0.isActive(now) ? $0.kind : nil }
    }

    var actions: [TerminalAction] { outputs.compactMap { if case .terminal(let action) = $0 { action } else { nil } } }

    var told: Int { actions.count { if case .conflict = $0 { true } else { false } } }

    mutating func clear(_ user: String) -> ConflictKind? {
        outputs = []
        return engine.clearConflict(of: user, by: "operator", reason: "a test", now: now, into: &outputs)
    }

    mutating func bind(_ user: String, _ rule: AddressRule, account: String? = nil) {
        var known = User(uuid: user, tier: "RECRUIT", isRegistered: true, createdAt: now)
        known.addresses = rule
        known.account = account
        engine.restore(user: known)
    }
}

@Suite("The fence on the command port") struct IdentityFenceTests {
    @Test("a restart behind a half-open connection: asked, cut after 5 s, and the new connection is believed")
    func restart() {
        var bench = FenceBench()
        bench.hear("user_10", 1)
        #expect(bench.route("user_10") == 1)
        let seen1 = bench.hear("user_10", 2, node: "NODE_new")
        #expect(seen1 != nil)
        #expect(bench.actions == [.probe(1)])
        #expect(bench.route("user_10") == nil, "nobody knows yet which of the two would get it")
        bench.pass(5_000)
        #expect(bench.actions.contains(.cut(1)))
        #expect(bench.route("user_10") == 2)
        #expect(bench.kind("user_10") == nil, "a restart is no conflict")
    }

    @Test("a restart after the old connection ended is believed at once")
    func cleanRestart() {
        var bench = FenceBench()
        bench.hear("user_10", 1)
        bench.lose(1)
        #expect(bench.route("user_10") == nil)
        bench.hear("user_10", 2, node: "NODE_new")
        #expect(bench.route("user_10") == 2)
    }

    @Test("where the old connection lives, nothing goes to either until the second one is gone for two minutes")
    func copy() {
        var bench = FenceBench()
        bench.hear("user_10", 1)
        bench.hear("user_10", 2, from: "10.0.0.2")
        bench.answer(1)
        #expect(bench.kind("user_10") == .twoAddresses)
        #expect(bench.route("user_10") == nil)
        bench.pass(300_000)
        #expect(bench.kind("user_10") == .twoAddresses, "the copy is still connected")
        bench.lose(2)
        bench.pass(300_000)
        #expect(bench.actions.contains { if case .cleared = $0 { true } else { false } })
        #expect(bench.route("user_10") == 1)
    }

    @Test("from the same address it is a taken name, and told once whatever is tried")
    func once() {
        var bench = FenceBench()
        bench.hear("user_10", 1)
        bench.hear("user_10", 2)
        bench.answer(1)
        #expect(bench.told == 1 && bench.kind("user_10") == .takenOver)
        var told = 0
        for number in 3..<1_000 as Range<Int32> {
            bench.hear("user_10", number)
            told += bench.told
            bench.answer(1)
            told += bench.told
        }
        #expect(told == 0)
        #expect(bench.route("user_10") == nil)
    }

    @Test("a name that speaks from elsewhere after its terminal is gone needs an operator")
    func moved() {
        var bench = FenceBench()
        bench.hear("user_10", 1)
        bench.lose(1)
        let seen2 = bench.hear("user_10", 2, from: "10.9.9.9")
        #expect(seen2 != nil)
        #expect(bench.kind("user_10") == .twoAddresses)
        bench.pass(86_400_000)
        #expect(bench.route("user_10") == nil)
        let seen3 = bench.clear("user_10")
        #expect(seen3 == .twoAddresses)
        #expect(bench.route("user_10") == 2, "the one who speaks for it is believed then")
        let seen4 = bench.clear("user_10")
        #expect(seen4 == nil)
    }

    @Test("with another account it is a stranger; from its IPv6 network it is the same machine")
    func kinds() {
        var bench = FenceBench()
        bench.hear("user_10", 1, account: "7")
        bench.lose(1)
        bench.hear("user_10", 2, from: "10.9.9.9", account: "8")
        #expect(bench.kind("user_10") == .takenOver)
        bench.hear("user_20", 3, from: "2001:db8:1:2::5")
        bench.lose(3)
        bench.hear("user_20", 4, from: "2001:db8:1:2:aaaa::9")
        #expect(bench.route("user_20") == 4)
        bench.lose(4)
        bench.hear("user_20", 5, from: "2001:db8:1:3::5")
        #expect(bench.route("user_20") == nil)
    }

    @Test("a user who is bound to an address is served beside those who claim him elsewhere, who are told of")
    func bound() {
        var bench = FenceBench()
        bench.bind("user_10", .only(["10.0.0.1"]))
        bench.hear("user_10", 1)
        let seen5 = bench.hear("user_10", 2, from: "10.0.0.2")
        #expect(seen5 != nil)
        #expect(bench.told == 1)
        #expect(bench.route("user_10") == 1 && bench.kind("user_10") == .takenOver)
        bench.bind("user_20", .any)
        bench.hear("user_20", 3)
        bench.lose(3)
        bench.hear("user_20", 4, from: "10.9.9.9")
        #expect(bench.route("user_20") == 4)
        bench.bind("user_30", .learned, account: "5012345")
        let seen6 = bench.hear("user_30", 5, account: "1")
        #expect(seen6 != nil)
        let seen7 = bench.hear("user_30", 6, account: "5012345")
        #expect(seen7 == nil)
    }

    @Test("a silent connection holds nothing, and gets nothing")
    func silent() {
        var bench = FenceBench()
        bench.hear("user_10", 1)
        bench.engine.opened(
            TerminalLink(number: 2, address: "10.0.0.1"), identity: Array("user_1".utf8), now: bench.now)
        #expect(bench.route("user_10") == 1)
        bench.lose(1)
        #expect(bench.route("user_10") == nil)
    }

    @Test("a terminal whose connection ended is served on the one that opens from its address, before it speaks")
    func reconnected() {
        func reconnected(from addresses: [String]) -> Int32? {
            var bench = FenceBench()
            bench.hear("user_10", 1)
            bench.lose(1)
            for (index, address) in addresses.enumerated() {
                bench.engine.opened(
                    TerminalLink(number: Int32(index + 2), address: address), identity: Array("user_1".utf8),
                    now: bench.now)
            }
            return bench.route("user_10")
        }
        #expect(reconnected(from: ["10.0.0.1"]) == 2)
        #expect(reconnected(from: ["10.9.9.9"]) == nil)
        #expect(reconnected(from: ["10.0.0.1", "10.0.0.1"]) == nil)
        var bench = FenceBench()
        bench.hear("user_10", 1)
        bench.hear("user_11", 1)
        bench.lose(1)
        bench.engine.opened(
            TerminalLink(number: 2, address: "10.0.0.1"), identity: Array("user_1".utf8), now: bench.now)
        #expect(bench.route("user_10") == nil && bench.route("user_11") == nil)
    }

    @Test(
        "after a restart of ours the one connection of a known name and address is used; two are not, nor one from elsewhere"
    )
    func resumed() {
        func restarted(_ addresses: [String]) -> FenceBench {
            var bench = FenceBench()
            bench.engine.restore(address: "10.0.0.1", user: "user_10")
            var report = TerminalReport(kind: .handshake)
            report.userUUID = "user_10"
            report.nodeID = "NODE_user_10"
            bench.engine.nodeChanged(report, isActive: true)
            bench.engine.restore(identity: Array("user_1".utf8), user: "user_10", node: "NODE_user_10", isLinked: true)
            for (index, address) in addresses.enumerated() {
                let link = TerminalLink(number: Int32(index + 1), address: address)
                bench.engine.opened(link, identity: Array("user_1".utf8), now: bench.now)
            }
            return bench
        }
        #expect(restarted([]).route("user_10") == nil)
        #expect(restarted(["10.0.0.1"]).route("user_10") == 1)
        #expect(restarted(["10.0.0.9"]).route("user_10") == nil)
        #expect(restarted(["10.0.0.1", "10.0.0.9"]).route("user_10") == nil)
    }

    @Test("1,000 groups of ten neighbours: nobody is served, everybody is told once, one cleared alone stays served")
    func neighbours() {
        var bench = FenceBench()
        var number: Int32 = 0
        var told: [String: Int] = [:]
        for group in 0..<1_000 {
            for digit in 0..<10 {
                number += 1
                bench.hear("group_\(group)_\(digit)", number)
                for case .conflict(let user, _, let conflict) in bench.actions {
                    told[user, default: 0] += 1
                    #expect(conflict.kind == .sharedIdentity && conflict.until == nil)
                }
            }
        }
        #expect(told.count == 10_000 && told.values.allSatisfy { $0 == 1 })
        bench.pass(86_400_000)
        for group in 0..<1_000 { for digit in 0..<10 { #expect(bench.route("group_\(group)_\(digit)") == nil) } }
        for other in 2...10 as ClosedRange<Int32> { bench.lose(other) }
        let seen8 = bench.clear("group_0_0")
        #expect(seen8 == .sharedIdentity)
        #expect(bench.route("group_0_0") == 1)
        bench.hear("group_0_0", 1)
        #expect(bench.route("group_0_0") == 1)
        bench.hear("group_0_5", 20_000)
        #expect(bench.route("group_0_0") == nil, "a neighbour is back")
    }

    @Test("a doubt that was written down holds for a terminal that is heard first after a restart of ours")
    func keptDoubt() {
        var bench = FenceBench()
        let doubt = IdentityConflict(
            kind: .sharedIdentity, since: bench.now, until: nil, text: "kept", identity: "user_1", addresses: [],
            users: [])
        bench.engine.restore(conflict: doubt, user: "user_10")
        let seen9 = bench.hear("user_10", 1)
        #expect(seen9 == "kept")
        #expect(bench.route("user_10") == nil)
        let seen10 = bench.clear("user_10")
        #expect(seen10 == .sharedIdentity)
        bench.hear("user_10", 1)
        #expect(bench.route("user_10") == 1)
    }
}
