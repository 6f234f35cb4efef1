/// The files of the page, embedded in the executable.
enum Asset: String, CaseIterable, Equatable {
    case page = "dashboard.html"
    case style = "dashboard.css"
    case parts = "parts.css"
    case script = "dashboard.js"
    case live = "live.js"
    case format = "format.js"
    case tables = "tables.js"
    case charts = "charts.js"
    case candles = "candles.js"
    case health = "health.js"
    case accounts = "accounts.js"
    case fleet = "fleet.js"
    case trading = "trading.js"
    case market = "market.js"
    case wants = "wants.js"
    case machine = "machine.js"
    case pictures = "pictures.js"
    case drill = "drill.js"
    case details = "details.js"
    case story = "story.js"
    case actions = "actions.js"

    var contentType: String {
        switch self {
        case .page: "text/html; charset=utf-8"
        case .style, .parts: "text/css; charset=utf-8"
        default: "text/javascript; charset=utf-8"
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .page: PackageResources.dashboard_html
        case .style: PackageResources.dashboard_css
        case .parts: PackageResources.parts_css
        case .script: PackageResources.dashboard_js
        case .live: PackageResources.live_js
        case .format: PackageResources.format_js
        case .tables: PackageResources.tables_js
        case .charts: PackageResources.charts_js
        case .candles: PackageResources.candles_js
        case .health: PackageResources.health_js
        case .accounts: PackageResources.accounts_js
        case .fleet: PackageResources.fleet_js
        case .trading: PackageResources.trading_js
        case .market: PackageResources.market_js
        case .wants: PackageResources.wants_js
        case .machine: PackageResources.machine_js
        case .pictures: PackageResources.pictures_js
        case .drill: PackageResources.drill_js
        case .details: PackageResources.details_js
        case .story: PackageResources.story_js
        case .actions: PackageResources.actions_js
        }
    }
}
