import Foundation
import Testing

@testable import EASimulator

@Suite("Fleets of several versions, and what the network does to them")
struct FleetMixTests {
    @Test("a mix is read, and nonsense refused")
    func parsing() throws {
        let mix = try #require(FleetMix(argument: "2.05:2,2.06H:1,7.01:3,own:1"))
        #expect(mix.versions == [.v205, .v205, .v206H, .v701, .v701, .v701, .own])
        for nonsense in ["", "2.05", "2.05:0", "9.99:3", "2.05:2,7.01", "2.05:-1"] {
            #expect(FleetMix(argument: nonsense) == nil)
        }
    }

    @Test("terminals of a mix have their versions, brokers their clocks")
    func profiles() throws {
        var options = FleetOptions()
        options.mix = try #require(FleetMix(argument: "2.05:2,2.02:1,7.01:1"))
        options.terminals = options.mix.versions.count
        options.brokers = 2
        let plan = try FleetPlan(options, wall: 1_757_954_363_000, monotonic: 0)
        #expect(plan.profiles.map(\.version) == [.v205, .v205, .v202, .v701])
        #expect(Set(plan.profiles.map(\.account)).count == 4)
        #expect(
            plan.profiles.map(\.server.text) == ["Demo-Server-1", "Demo-Server-2", "Demo-Server-1", "Demo-Server-2"])
        #expect(plan.profiles.map(\.brokerOffsetSeconds) == [10_800, 7_200, 10_800, 7_200])
        #expect(options.sockets == 3 + 3 + 3 + 2)
    }

    @Test("an outage takes all away at once and brings them back within two seconds")
    func outage() {
        var scenario = Scenario(.backlog, terminals: 4, period: 60_000, pause: 20_000, seed: 1)
        #expect(scenario.due(elapsed: 59_999).isEmpty)
        #expect(scenario.due(elapsed: 60_000) == (0..<4).map { .offline($0) })
        #expect(scenario.due(elapsed: 79_999).isEmpty)
        #expect(scenario.due(elapsed: 82_000) == (0..<4).map { .comeBack($0) })
    }

    @Test("a flood lasts as long as it was asked to, half-open connections are left one after the other")
    func others() {
        var flood = Scenario(.flood, terminals: 3, period: 1_000, pause: 500, seed: 1)
        #expect(flood.due(elapsed: 1_000) == [.flood(0)])
        #expect(flood.due(elapsed: 1_500) == [.calm(0)])
        var halfOpen = Scenario(.halfOpen, terminals: 2, period: 1_000, pause: 0, seed: 1)
        #expect(halfOpen.due(elapsed: 1_000) == [.halfOpen(0)])
        #expect(halfOpen.due(elapsed: 1_500) == [.halfOpen(1)])
    }

    @Test(
        "what was queued during an outage is old, in order, and not a second of it the present", arguments: [1_000, 8])
    func backlog(count: Int) throws {
        let prices = market([("EURUSD", "1.17617", "1.17620")])
        let terminal = try terminal(.v205, prices)
        terminal.attach()
        _ = terminal.takeOutbox()
        terminal.expert?.sendBacklog(count)
        let lines = written(terminal)
        #expect(lines.count == count)
        let times = lines.compactMap { $0.components(separatedBy: #""timestamp":""#).last?.prefix(19) }
        #expect(times == times.sorted())
        #expect(try #require(times.last) < terminal.timeText.text)
    }
}
