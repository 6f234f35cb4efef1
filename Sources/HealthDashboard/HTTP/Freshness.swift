import ServiceKit

/// As long as its tag is the same, an answer would say the same again: what `ETag` carries and the cache goes by.
///
/// Ages and durations in a body are of its `now`; a tag that is still true says that nothing else is different.
enum Freshness {
    /// A node's last sign of life moves all the time. Lists of many terminals are costly, so they are of at most so long
    /// ago; up to ``manyNodes`` they are of now.
    private static let nodeMilliseconds: Int64 = 1000
    private static let manyNodes = 1000

    /// - Returns: nil for what is asked of Redis each time.
    static func tag(_ endpoint: Endpoint, _ snapshot: Snapshot) -> String? {
        switch endpoint {
        case .asset(let asset): return String(checksum(asset.bytes), radix: 36)
        case .openAPI: return MeshVersion.current
        case .health, .ready, .metrics, .history, .overview, .version:
            return "\(snapshot.instance)-\(snapshot.publishedMonotonic)"
        case .list(.nodes) where snapshot.nodes.count > manyNodes:
            let read = (snapshot.readMonotonic ?? 0) / nodeMilliseconds
            return "\(snapshot.instance)-n\(read)"
        case .list(let list):
            let part: Part =
                switch list {
                case .nodes: .nodes
                case .positions: .positions
                case .fires: .fires
                case .signals: .signals
                case .alerts: .alerts
                case .questions: .reconciliation
                case .users: .users
                }
            return version(of: part, snapshot)
        case .services, .service: return "\(snapshot.instance)-\(snapshot.publishedMonotonic)"
        case .stats: return version(of: .stats, snapshot)
        case .levels, .sweeps: return version(of: .levels, snapshot)
        case .reconciliation: return version(of: .reconciliation, snapshot)
        case .latency: return version(of: .fires, snapshot)
        case .exposure, .performance: return version(of: .positions, snapshot)
        case .audit: return version(of: .audit, snapshot)
        case .silences, .maintenanceWindows, .drift: return version(of: .alerts, snapshot)
        case .toDashboard, .noSuchPage, .live, .events, .inquiry, .action: return nil
        }
    }

    private static func version(of part: Part, _ snapshot: Snapshot) -> String {
        // While Redis is away the same figures are older: `as_of` of a kept answer would still be true, and is kept.
        "\(snapshot.instance)-\(part.rawValue)\(snapshot.partVersions[part] ?? 0)-\(snapshot.readAt == nil ? 0 : 1)"
    }

    /// FNV-1a, 64 bits: tells versions of a file apart. Source: G. Fowler, L. C. Noll, K.-P. Vo.
    static func checksum(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// Whether `If-None-Match` names the tag, weakly compared. Source: RFC 9110, section 13.1.2.
    static func matches(_ header: String?, _ tag: String) -> Bool {
        guard let header else { return false }
        if header.trimmingSpaces() == "*" { return true }
        return header.split(separator: ",").contains { item in
            let text = item.trimmingSpaces()
            return (text.hasPrefix("W/") ? String(text.dropFirst(2)) : text) == "\"\(tag)\""
        }
    }
}
