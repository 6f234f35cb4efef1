import Domain
import Fleet
import Testing

@Suite("The terminal that the doctor plays")
struct ProbeTerminalTests {
    private func probe(_ seconds: Double) -> RegistryRequest {
        registration(
            ProbeTerminal.nodeID, user: ProbeTerminal.userUUID, account: nil, server: nil, via: .hello,
            received: seconds)
    }

    @Test("It is seen while it is there, and nothing of it is left with its disconnect: no node, no history")
    func forgotten() {
        var engine = NodeRegistryEngine()
        var effects: [RegistryEffect] = []
        for turn in 0..<3 {
            let start = Double(turn) * 10
            _ = engine.handle(probe(start), at: at(start), into: &effects)
            #expect(engine.node(.node(ProbeTerminal.nodeID))?.status == .active)
            effects = []
            _ = engine.handle(
                end(ProbeTerminal.nodeID, ProbeTerminal.disconnectReason, received: start + 1), at: at(start + 1),
                into: &effects)
            #expect(engine.node(.node(ProbeTerminal.nodeID)) == nil && engine.activeCount == 0)
            let forgotten = effects.contains { effect in
                if case .forgotten(let node) = effect { return node.nodeID == ProbeTerminal.nodeID }
                return false
            }
            #expect(forgotten)
        }
        #expect(engine.history(limit: 100).isEmpty && engine.nodes.isEmpty)
    }

    @Test("Any other terminal stays known after its disconnect")
    func others() {
        var engine = NodeRegistryEngine()
        var effects: [RegistryEffect] = []
        _ = engine.handle(registration("A", received: 0), at: at(0), into: &effects)
        _ = engine.handle(end("A", received: 1), at: at(1), into: &effects)
        #expect(engine.node(.node("A"))?.status == .disconnected)
    }
}
