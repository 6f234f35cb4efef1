public import Domain

// From where a terminal speaks on the telemetry port: its names are no proof, its open connection is one.
extension TelemetryEngine {
    /// The address of the open connection on which a node introduced itself, where `peer` is another one; else nil.
    public func home(of nodeID: String, besides peer: String?) -> String? {
        guard let peer, let standing = standings[nodeID], let home = standing.peerAddress,
            !NetworkAddress.isSameHost(home, peer),
            connections.nodes(on: standing.descriptor).contains(where: { nodes.nodeIDs[Int($0)] == nodeID })
        else { return nil }
        return home
    }

    /// The node of a terminal that only names its account (7.01), where the report does.
    public func nodeID(ofAccountIn report: TerminalReport) -> String? {
        guard let account = report.account, let server = report.server else { return nil }
        return TelemetryEngine.nodeID(server: server, account: account)
    }

    /// A node was heard on a connection from its own address.
    mutating func anchor(_ nodeID: String, _ descriptor: Int32, _ peer: String?) {
        guard let peer, let home = standings[nodeID]?.peerAddress, NetworkAddress.isSameHost(home, peer) else { return }
        standings[nodeID]?.descriptor = descriptor
    }

    /// Whether a quote of the terminal that comes on that connection need not be asked about: somebody did just now.
    @inline(__always)
    func isBelieved(_ node: Int, on descriptor: Int32, _ now: Timestamp) -> Bool {
        let entry = nodes[node]
        return entry.speaker == descriptor && descriptor >= 0 && entry.believedUntil > now.milliseconds
            && entry.speakerNumber == connections.number(descriptor)
    }

    /// The terminal speaks on that connection: its quotes are its own for a while.
    public mutating func believe(_ node: Int, on descriptor: Int32, from peer: String?, at now: Timestamp) {
        quota.hear(descriptor, at: now.milliseconds)
        nodes[node].speaker = descriptor
        nodes[node].speakerNumber = connections.number(descriptor)
        nodes[node].believedUntil = now.milliseconds + TelemetryEngine.believedMilliseconds
        if connections.nodes(on: descriptor).contains(Int32(node)) { anchor(nodes.nodeIDs[node], descriptor, peer) }
    }

    /// More is known of the terminal now: its quotes are asked about again.
    mutating func doubt(_ nodeID: String, at now: Timestamp) {
        if let node = index(of: nodeID, at: now) { nodes[node].believedUntil = 0 }
    }

    /// As often as the list of addresses is read.
    private static let believedMilliseconds: Int64 = 2_000

    /// The sign of life that was asked for was a stranger's: the next one is asked about again.
    public mutating func awaitActivity(_ node: Int, at now: Timestamp) {
        nodes[node].nextActivity = now.milliseconds + TelemetryEngine.strangeInterval
    }

    /// A stranger's flood is asked about so often, not with every quote.
    private static let strangeInterval: Int64 = 250
}
