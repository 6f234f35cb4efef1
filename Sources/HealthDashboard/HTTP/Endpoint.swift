import Foundation

/// What a path and a method ask for. The whole interface is this table.
enum Endpoint: Equatable {
    enum List: String, CaseIterable, Equatable {
        case nodes, positions, fires, signals, alerts, questions, users
    }

    case toDashboard
    /// An address below `/dashboard` that shows nothing.
    case noSuchPage
    case asset(Asset)
    case health, services, stats, levels, reconciliation, metrics, live, ready, version, events, openAPI, overview
    case history, latency, exposure, performance, sweeps, audit, silences, maintenanceWindows, drift
    case service(String)
    case list(List)
    case inquiry(Inquiry)
    case action(Action)

    /// What changes something, and therefore needs the token.
    enum Action: Equatable {
        case brake, close, closeAll
        case acknowledge(alert: String)
        case silence, unsilence, maintenance, maintenanceEnd, alertTest
    }

    /// What the page shows one of: `/dashboard/<kind>/<id>`.
    static let pages: Set<String> = ["terminal", "user", "position", "fire", "symbol", "service", "alert"]

    /// Longer than any identifier of ours.
    static let maximumSegment = 200

    /// - Parameters:
    ///   - method: upper case; HEAD is GET without the body.
    ///   - path: as it came, percent-encoded.
    /// - Throws: 404 for an unknown path, 405 for a known one that does not take the method, 400 for a garbled one.
    static func resolve(method: String, path: String) throws(HTTPProblem) -> Endpoint {
        var segments: [String] = []
        for part in path.split(separator: "/") {
            guard let text = part.removingPercentEncoding, text.unicodeScalars.count <= maximumSegment,
                !text.contains("\0")
            else {
                throw .badRequest("the path is not a valid percent-encoded text of reasonable length")
            }
            segments.append(text)
        }
        let isRead = method == "GET" || method == "HEAD"
        let (read, action) = (reading(segments), acting(segments))
        if isRead, let read { return read }
        if method == "POST", let action { return .action(action) }
        let allowed = (read == nil ? [] : ["GET", "HEAD"]) + (action == nil ? [] : ["POST"])
        guard allowed.isEmpty else { throw .methodNotAllowed(allowed) }
        throw .notFound("there is no such path; docs/contract.md, section 5, lists them")
    }

    private static func reading(_ segments: [String]) -> Endpoint? {
        // The page finds out by itself what its address asks for.
        if segments.first == "dashboard" {
            let isKnown = segments.count == 1 || (segments.count == 3 && pages.contains(segments[1]))
            return isKnown ? .asset(.page) : .noSuchPage
        }
        switch segments.count {
        case 0: return .toDashboard
        case 1: return single(segments[0])
        case 2:
            switch segments[0] {
            case "nodes": return .inquiry(.node(segments[1]))
            case "users": return .inquiry(.user(segments[1]))
            case "fires": return .inquiry(.fire(segments[1]))
            case "positions": return .inquiry(.position(segments[1]))
            case "alerts": return .inquiry(.alert(segments[1]))
            case "symbols": return .inquiry(.symbol(segments[1]))
            case "services": return .service(segments[1])
            case "explain": return .inquiry(.story(segments[1]))
            case "assets": return Asset(rawValue: segments[1]).map { .asset($0) }
            default: return nil
            }
        default: return nil
        }
    }

    private static func single(_ name: String) -> Endpoint? {
        if let list = List(rawValue: name) { return .list(list) }
        switch name {
        case "health": return .health
        case "services": return .services
        case "stats": return .stats
        case "levels": return .levels
        case "reconciliation": return .reconciliation
        case "metrics": return .metrics
        case "livez": return .live
        case "readyz": return .ready
        case "version": return .version
        case "events": return .events
        case "openapi.json": return .openAPI
        case "overview": return .overview
        case "history": return .history
        case "drift": return .drift
        case "latency": return .latency
        case "exposure": return .exposure
        case "performance": return .performance
        case "sweeps": return .sweeps
        case "audit": return .audit
        case "silence": return .silences
        case "maintenance": return .maintenanceWindows
        default: return nil
        }
    }

    private static func acting(_ segments: [String]) -> Action? {
        switch segments {
        case ["brake"]: .brake
        case ["close"]: .close
        case ["close-all"]: .closeAll
        case ["silence"]: .silence
        case ["unsilence"]: .unsilence
        case ["maintenance"]: .maintenance
        case ["maintenance", "end"]: .maintenanceEnd
        case ["alerts", "test"]: .alertTest
        default:
            segments.count == 3 && segments[0] == "alerts" && segments[2] == "acknowledge"
                ? .acknowledge(alert: segments[1]) : nil
        }
    }
}
