import Domain
import Testing

@testable import Fleet

private struct FamilyBench {
    var engine: TelemetryEngine
    var effects: [TelemetryEffect] = []

    init(_ listeners: CommandListeners) {
        engine = TelemetryEngine(nodeLimit: 1000, commandListeners: listeners, seed: 5)
    }

    mutating func introduce(_ nodeID: String, _ version: String, user: String, from address: String, _ seconds: Double)
    {
        var report = TerminalReport(kind: .handshake)
        report.nodeID = nodeID
        report.userUUID = user
        report.version = version
        report.server = "Demo"
        report.account = "1"
        effects = []
        _ = engine.take(report, descriptor: -1, peer: address, at: at(seconds), into: &effects)
    }

    mutating func leave(_ nodeID: String, _ seconds: Double) {
        effects = []
        _ = engine.take(Disconnect(nodeID: nodeID), descriptor: -1, at: at(seconds), into: &effects)
    }

    func hears(_ nodeID: String) -> Bool? { engine.standing(nodeID)?.hearing.isHeard }

    /// Nodes whose standing the registry is told anew.
    var told: [String] { effects.compactMap { if case .standing(let nodeID) = $0 { nodeID } else { nil } }.sorted() }
}

@Suite("EA families") struct TelemetryFamilyTests {
    @Test(
        "the version says the family",
        arguments: [
            ("2.05", EAFamily.v205), ("2.06H", .v206H), ("2.06h", .v206H), ("2.02", .v202), ("2.01", .v201),
            ("7.01", .v701), ("own", .own), ("9.99", .unknown), ("unknown", .unknown),
        ])
    func versions(text: String, family: EAFamily) {
        #expect(EAFamily(version: text) == family)
        #expect(EAFamily(version: nil) == .unknown)
        #expect(EAFamily(version: nil, namesItself: false) == .v701)
    }

    @Test("a DEALER hears a ROUTER, a PULL doesn't, and is told what to add")
    func router() throws {
        var bench = FamilyBench(CommandListeners())
        bench.introduce("A", "2.05", user: "user_a", from: "10.0.0.1", 0)
        bench.introduce("B", "2.02", user: "user_b", from: "10.0.0.2", 0)
        #expect(bench.hears("A") == true)
        #expect(bench.hears("B") == false)
        #expect(try #require(bench.engine.standing("B")).hearing.reason.contains("PUSH"))
    }

    @Test("one PULL hears a PUSH, two don't, and the first does again when the second has gone")
    func lottery() {
        var bench = FamilyBench(CommandListeners(hasPush: true))
        bench.introduce("A", "2.05", user: "user_a", from: "10.0.0.1", 0)
        bench.introduce("B", "2.02", user: "user_b", from: "10.0.0.2", 0)
        #expect(bench.hears("B") == true)
        bench.introduce("C", "2.01", user: "user_c", from: "10.0.0.3", 1)
        #expect(bench.hears("A") == true)
        #expect(bench.hears("B") == false)
        #expect(bench.hears("C") == false)
        #expect(bench.told == ["B"])
        bench.leave("C", 2)
        #expect(bench.hears("B") == true)
        #expect(bench.told == ["B"])
    }

    @Test("a PULL with a listener of its own is no concern of the others")
    func own() {
        var bench = FamilyBench(CommandListeners(hasPush: true, ownPush: ["user_b"]))
        bench.introduce("B", "2.02", user: "user_b", from: "10.0.0.2", 0)
        bench.introduce("C", "2.02", user: "user_c", from: "10.0.0.3", 1)
        #expect(bench.hears("B") == true)
        #expect(bench.hears("C") == true)
    }

    @Test("7.01 is never sent anything")
    func executor() {
        for listeners in [CommandListeners(), CommandListeners(hasRouter: false, hasPush: true)] {
            var bench = FamilyBench(listeners)
            var report = TerminalReport(kind: .status)
            report.version = "7.01"
            report.account = "1"
            report.server = "Demo"
            _ = bench.engine.take(report, descriptor: 9, peer: "10.0.0.1", at: at(0), into: &bench.effects)
            #expect(bench.engine.standing("EA7_1_Demo")?.family == .v701)
            #expect(bench.hears("EA7_1_Demo") == false)
        }
    }

    @Test("where only one kind is served, whoever comes is taken to bring it")
    func withoutRouter() {
        let published = CommandListeners(hasRouter: false, hasPublisher: true)
        #expect(CommandHearing(.v205, user: "u", pulling: 7, published).isHeard)
        let pushed = CommandListeners(hasRouter: false, hasPush: true)
        #expect(CommandHearing(.v205, user: "u", pulling: 1, pushed).isHeard)
        #expect(!CommandHearing(.v205, user: "u", pulling: 2, pushed).isHeard)
    }

    @Test("a PULL that is turned away is named, and no longer once it is let in")
    func refused() throws {
        var bench = FamilyBench(CommandListeners(hasPush: true))
        bench.introduce("A", "2.05", user: "user_a", from: "10.0.0.2", 0)
        bench.introduce("B", "2.02", user: "user_b", from: "10.0.0.2", 0)
        bench.engine.noteRefused(["10.0.0.2": at(1), "10.0.0.9": at(1)], at: at(5), into: &bench.effects)
        #expect(bench.hears("B") == false)
        #expect(bench.told == ["B"])
        #expect(bench.engine.terminalsToRestart.map(\.nodeID) == ["B"])
        #expect(bench.engine.terminalsToRestart.map(\.address) == ["10.0.0.2"])
        // A DEALER beside it at the same address is none of them.
        #expect(bench.hears("A") == true)
        // It knocks no more.
        bench.engine.noteRefused(["10.0.0.2": at(1)], at: at(200), into: &bench.effects)
        #expect(bench.hears("B") == true)
        #expect(bench.engine.terminalsToRestart.isEmpty)
    }

    @Test("what an earlier process knew is taken over")
    func restored() {
        var bench = FamilyBench(CommandListeners())
        bench.engine.restoreStanding(
            "B", ["family": "2.02", "user_uuid": "user_b", "peer_address": "10.0.0.2"], at: at(0), into: &bench.effects)
        #expect(bench.engine.standing("B")?.family == .v202)
        #expect(bench.hears("B") == false)
        bench.engine.noteRefused(["10.0.0.2": at(1)], at: at(2), into: &bench.effects)
        #expect(bench.engine.terminalsToRestart.map(\.nodeID) == ["B"])
    }
}
