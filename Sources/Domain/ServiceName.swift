/// The seven services and the mesh's own Redis, as `ps`, `ports.yaml` and `service:<name>` spell them.
public enum ServiceName: String, Sendable, CaseIterable, Hashable {
    case redis
    case nodeRegistry = "node-registry"
    case handshakeProcessor = "handshake-processor"
    case confirmationLogger = "confirmation-logger"
    case citadelMonitor = "citadel-monitor"
    case positionTracker = "position-tracker"
    case heartbeatMonitor = "heartbeat-monitor"
    case healthDashboard = "health-dashboard"

    /// The seven, in the order in which they start: everybody after those it needs.
    public static let startOrder: [ServiceName] = [
        .nodeRegistry, .handshakeProcessor, .confirmationLogger, .citadelMonitor, .positionTracker,
        .heartbeatMonitor, .healthDashboard,
    ]

    /// Whom a service sends requests to or listens to; it starts and waits without them, but is not whole.
    public var needs: [ServiceName] {
        switch self {
        case .redis: []
        case .nodeRegistry, .confirmationLogger: [.redis]
        case .handshakeProcessor: [.redis, .nodeRegistry]
        case .citadelMonitor: [.redis, .handshakeProcessor]
        case .positionTracker: [.redis, .nodeRegistry, .handshakeProcessor, .confirmationLogger, .citadelMonitor]
        case .heartbeatMonitor: [.redis, .nodeRegistry]
        case .healthDashboard: [.redis]
        }
    }
}
