import Domain
import Fleet
import Testing

/// Proof of the fleet's line 8: one alert for one cause, resolved once.
@Suite struct OneCauseProofTests {
    @Test(arguments: [8_001, 8_002, 8_003] as [UInt64])
    func fourHundredOfOneBrokerVanish(seed: UInt64) throws {
        var world = OneCauseWorld(seed: seed)
        let lost = world.vanish { $0.server == "Broker-9" }
        world.run(130)
        let alert = try #require(world.raised.first)
        #expect(world.raised.count == 1)
        #expect(alert.type == "nodes_lost")
        #expect(alert.story.scope == .server && alert.story.scopeName == "Broker-9")
        #expect(alert.story.cause.contains("Broker-9"))
        #expect(world.alerts.active[alert.key]?.story.count == lost && lost == 400)
        #expect(!alert.story.action.isEmpty)
        world.comeBack()
        world.run(60)
        print(world.line("a broker's 400 vanish", seed, lost))
        #expect(world.raised.count == 1 && world.resolved.map(\.key) == [alert.key])
        #expect(world.alerts.active.isEmpty)
    }

    @Test(arguments: [8_011, 8_012] as [UInt64])
    func fourHundredOfABiggerBrokerVanish(seed: UInt64) throws {
        var world = OneCauseWorld(seed: seed)
        var left = 400
        let lost = world.vanish { terminal in
            guard terminal.server == "Broker-0", left > 0 else { return false }
            left -= 1
            return true
        }
        world.run(130)
        world.comeBack()
        world.run(60)
        print(world.line("400 of a broker's \(world.terminals.count { $0.server == "Broker-0" })", seed, lost))
        #expect(world.raised.map(\.story.scopeName) == ["Broker-0"])
        #expect(world.resolved.count == 1 && world.alerts.active.isEmpty)
    }

    @Test(arguments: [8_021, 8_022, 8_023] as [UInt64])
    func allOfOneVersionVanish(seed: UInt64) throws {
        var world = OneCauseWorld(seed: seed)
        let lost = world.vanish { $0.version == "2.06H" }
        world.run(130)
        world.comeBack()
        world.run(60)
        print(world.line("all of version 2.06H vanish", seed, lost))
        #expect(world.raised.map(\.story.scope) == [.version])
        #expect(world.raised.map(\.story.scopeName) == ["2.06H"])
        #expect(world.raised.first?.story.heldBack == lost)
        #expect(world.resolved.count == 1 && world.alerts.active.isEmpty)
    }

    @Test(arguments: [8_031, 8_032, 8_033] as [UInt64])
    func ourOwnProcessorRestarts(seed: UInt64) throws {
        var world = OneCauseWorld(seed: seed)
        world.processor = nil
        world.run(3)
        world.processor = at(world.second)
        world.run(200)
        print(world.line("handshake-processor restarts", seed, 0))
        #expect(world.raised.map(\.type) == ["service_restarted"])
        #expect(world.raised.map(\.story.scopeName) == ["handshake-processor"])
        #expect(world.raised.first?.story.heldBack == 5_000)
        #expect(world.resolved.count == 1 && world.alerts.active.isEmpty)
    }

    @Test(arguments: [8_041] as [UInt64])
    func ourOwnProcessorStaysAwayForAMinute(seed: UInt64) throws {
        var world = OneCauseWorld(seed: seed)
        world.processor = nil
        world.run(60)
        world.processor = at(world.second)
        world.run(200)
        print(world.line("handshake-processor is down for a minute", seed, 0))
        #expect(world.raised.map(\.type) == ["service_down"])
        #expect(world.resolved.count == 1 && world.alerts.active.isEmpty)
    }

    @Test(arguments: [8_051, 8_052] as [UInt64])
    func whoStaysAwayAfterOurRestartIsPutDownToIt(seed: UInt64) throws {
        var world = OneCauseWorld(seed: seed)
        world.processor = nil
        let chosen = Set((0..<50).map { _ in "NODE_\(world.random.next() % 5_000)" })
        let lost = world.vanish { chosen.contains($0.nodeID) }
        world.run(3)
        world.processor = at(world.second)
        world.run(200)
        world.comeBack()
        world.run(60)
        print(world.line("\(lost) stay away after our restart", seed, lost))
        #expect(world.raised.map(\.type) == ["service_restarted", "nodes_lost"])
        #expect(world.raised.last?.story.scope == .mesh)
        #expect(world.raised.last?.story.cause.contains("handshake-processor") == true)
        #expect(world.resolved.count == 2 && world.alerts.active.isEmpty)
    }

    @Test func twoTerminalsWithoutAnythingInCommonAreTwoAlerts() {
        var world = OneCauseWorld(seed: 8_061)
        let lost = world.vanish { ["NODE_77", "NODE_3077"].contains($0.nodeID) }
        world.run(100)
        world.comeBack()
        world.run(30)
        #expect(lost == 2)
        #expect(world.raised.map(\.type) == ["node_timeout", "node_timeout"])
        #expect(world.resolved.count == 2 && world.alerts.active.isEmpty)
    }

    @Test func aSubnetThatSharesNothingElseIsNamed() {
        var world = OneCauseWorld(seed: 8_071)
        let subnet = "10.7.3."
        let lost = world.vanish { $0.address.hasPrefix(subnet) }
        world.run(130)
        print(world.line("a subnet", 8_071, lost))
        #expect(world.raised.map(\.story.scopeName) == ["10.7.3.0/24"])
    }
}
