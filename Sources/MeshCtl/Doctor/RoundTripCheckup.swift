import Domain
import Glibc
import ServiceKit

/// A played terminal's way through every hop and back, timed.
struct RoundTripCheckup {
    /// A terminal's question must be answered within this, in milliseconds.
    static let limit = 1000.0

    let mesh: Mesh

    init(_ mesh: Mesh) { self.mesh = mesh }

    func finding() -> Finding {
        // Two of them at once would be two terminals under one name.
        let lock = open(mesh.configuration.runDirectory + "/doctor.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { if lock >= 0 { close(lock) } }
        guard lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            return .warning("round trip", "another doctor is at it", "try again in a moment")
        }
        let trip = RoundTrip(mesh)
        do {
            try trip.run()
            return RoundTripCheckup.judge(trip.hops, failure: nil, hasLeft: trip.hasLeft)
        } catch {
            return RoundTripCheckup.judge(
                trip.hops, failure: ToolError(error)?.message ?? "\(error)", hasLeft: trip.hasLeft)
        }
    }

    /// - Parameters:
    ///   - failure: why it ended early, naming who did not answer.
    ///   - hasLeft: whether the played terminal's goodbye was taken.
    static func judge(_ hops: [RoundTrip.Hop], failure: String?, hasLeft: Bool = true) -> Finding {
        let way = hops.map { "\($0.name) \(Int($0.milliseconds.rounded(.up)))" }.joined(separator: ", ")
        let left =
            hasLeft
            ? "" : "; \(ProbeTerminal.nodeID) is shown as a terminal until it is given up, in some minutes at most"
        if let failure {
            let until = hops.isEmpty ? "" : "; good before: \(way) ms"
            return .critical("round trip", failure + until + left, "meshctl status, then that service's log")
        }
        let sum = hops.reduce(0) { $0 + $1.milliseconds }
        let text = "through \(hops.count) hops and back in \(Int(sum.rounded(.up))) ms: \(way) ms" + left
        if !hasLeft { return .warning("round trip", text, "look why node-registry did not answer: its log") }
        if sum <= limit { return .good("round trip", text) }
        return .warning("round trip", text, "look which hop is slow, and what else this machine does (top)")
    }
}
