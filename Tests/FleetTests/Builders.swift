import Domain
import Fleet

/// Short ways to say what a test is about.
func at(_ seconds: Double) -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + Int64(seconds * 1000)) }

func details(
    user: String? = nil, account: String? = nil, server: String? = nil, _ more: [NodeField: String] = [:]
) -> NodeDetails {
    var details = NodeDetails()
    details[.userUUID] = user
    details[.account] = account
    details[.server] = server
    for (field, value) in more { details[field] = value }
    return details
}

func registration(
    _ nodeID: String, user: String? = "user_1", account: String? = "1", server: String? = "Demo",
    via: Registration.Via = .handshake, received: Double
) -> RegistryRequest {
    .register(
        Registration(
            nodeID: nodeID, details: details(user: user, account: account, server: server), via: via,
            receivedAt: at(received)))
}

func heartbeat(_ nodeID: String, received: Double, isTicks: Bool = false) -> RegistryRequest {
    .heartbeat(Heartbeat(nodeID: nodeID, receivedAt: at(received), isTicks: isTicks))
}

func end(_ nodeID: String, _ reason: String = "ea_disconnect", received: Double) -> RegistryRequest {
    .disconnect(NodeEnd(nodeID: nodeID, reason: reason, receivedAt: at(received)))
}

/// A registry with a fixed source of ids that keeps the effects of its last request.
struct RegistryBench {
    var engine: NodeRegistryEngine
    var effects: [RegistryEffect] = []

    init(limits: NodeRegistryEngine.Limits = NodeRegistryEngine.Limits()) {
        engine = NodeRegistryEngine(limits: limits, uuids: UUIDSource(SplitMix64(seed: 7)))
    }

    @discardableResult
    mutating func send(_ request: RegistryRequest, _ seconds: Double) -> RegistryOutcome {
        effects = []
        return engine.handle(request, at: at(seconds), into: &effects)
    }

    func node(_ nodeID: String) -> NodeRecord? { engine.nodes[nodeID] }

    var events: [NodeEvent.Kind] {
        effects.compactMap { if case .event(let event) = $0 { event.kind } else { nil } }
    }
}

extension RegistryOutcome {
    var refusal: String? { if case .refused(let refusal) = self { refusal.code } else { nil } }
    var replaced: String? { if case .registered(_, let replaced) = self { replaced } else { nil } }
    var record: NodeRecord? { if case .registered(let record, _) = self { record } else { nil } }
}
