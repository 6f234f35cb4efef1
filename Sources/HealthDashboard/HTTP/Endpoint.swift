import Foundation

/// What a path and a method ask for. The whole interface is this table.
enum Endpoint: Equatable {
    enum List: String, CaseIterable, Equatable {
        case nodes, positions, fires, signals, alerts, questions
    }

    case toDashboard
    case asset(Asset)
    case health, services, stats, levels, reconciliation, metrics, live, ready, version, events
    case list(List)
    case inquiry(Inquiry)
    case action(Action)

    /// What changes something, and therefore needs the token.
    enum Action: Equatable {
        case brake
        case acknowledge(alert: String)
        case silence, maintenance
    }

    /// Longer than any identifier of ours.
    private static let maximumSegment = 200

    /// - Parameters:
    ///   - method: upper case; HEAD is GET without the body.
    ///   - path: as it came, percent-encoded.
    /// - Throws: 404 for an unknown path, 405 for a known one that does not take the method, 400 for a garbled one.
    static func resolve(method: String, path: String) throws(HTTPProblem) -> Endpoint {
        var segments: [String] = []
        for part in path.split(separator: "/") {
            guard let text = part.removingPercentEncoding, text.utf8.count <= maximumSegment, !text.contains("\0")
            else {
                throw .badRequest("the path is not a valid percent-encoded text of reasonable length")
            }
            segments.append(text)
        }
        let isRead = method == "GET" || method == "HEAD"
        if let endpoint = reading(segments) {
            guard isRead else { throw .methodNotAllowed(["GET", "HEAD"]) }
            return endpoint
        }
        if let action = acting(segments) {
            guard method == "POST" else { throw .methodNotAllowed(["POST"]) }
            return .action(action)
        }
        throw .notFound("there is no such path; docs/contract.md, section 5, lists them")
    }

    private static func reading(_ segments: [String]) -> Endpoint? {
        switch segments.count {
        case 0: return .toDashboard
        case 1: return single(segments[0])
        case 2:
            switch segments[0] {
            case "nodes": return .inquiry(.node(segments[1]))
            case "users": return .inquiry(.user(segments[1]))
            case "fires": return .inquiry(.fire(segments[1]))
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
        case "dashboard": return .asset(.page)
        default: return nil
        }
    }

    private static func acting(_ segments: [String]) -> Action? {
        switch segments {
        case ["brake"]: .brake
        case ["silence"]: .silence
        case ["maintenance"]: .maintenance
        default:
            segments.count == 3 && segments[0] == "alerts" && segments[2] == "acknowledge"
                ? .acknowledge(alert: segments[1]) : nil
        }
    }
}

/// The files of the page, embedded in the executable.
enum Asset: String, CaseIterable, Equatable {
    case page = "dashboard.html"
    case style = "dashboard.css"
    case script = "dashboard.js"
    case views = "views.js"
    case accounts = "accounts.js"
    case story = "story.js"
    case tables = "tables.js"
    case format = "format.js"

    var contentType: String {
        switch self {
        case .page: "text/html; charset=utf-8"
        case .style: "text/css; charset=utf-8"
        case .script, .views, .accounts, .story, .tables, .format: "text/javascript; charset=utf-8"
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .page: PackageResources.dashboard_html
        case .style: PackageResources.dashboard_css
        case .script: PackageResources.dashboard_js
        case .views: PackageResources.views_js
        case .accounts: PackageResources.accounts_js
        case .story: PackageResources.story_js
        case .tables: PackageResources.tables_js
        case .format: PackageResources.format_js
        }
    }
}
