import ArgumentParser
import Domain
import ServiceKit
import Wire

/// A page of one of the dashboard's lists.
struct ListPage {
    let body: JSONObject
    let items: [JSONObject]
    let total: Int
    let now: Timestamp

    /// - Parameter filters: those without a value are left out.
    static func get(
        _ path: String, _ mesh: Mesh, limit: Int, _ filters: [(String, String?)]
    ) throws(ToolError) -> ListPage {
        let client = HTTPClient(port: mesh.configuration.ports[.health].port)
        var parameters = [("limit", String(limit))]
        for (name, value) in filters { if let value { parameters.append((name, value)) } }
        let answer = try client.get(path, parameters)
        guard let body = answer.json?.object else {
            throw ToolError(
                ExitStatus.unavailable, "the dashboard answered \(path) with no JSON (status \(answer.status))")
        }
        guard answer.status == 200, let items = body["items"]?.array else {
            let message = body["error"]?.object?["message"]?.text ?? "status \(answer.status)"
            let code = answer.status == 400 ? ExitStatus.usage : ExitStatus.denied
            throw ToolError(code, TerminalText.sanitised("\(path): \(message)"))
        }
        return ListPage(
            body: body, items: items.compactMap(\.object),
            total: body["total"]?.text.flatMap { Int($0) } ?? items.count,
            now: body["now"]?.text.flatMap { Timestamp(rfc3339: $0) } ?? SystemClock.now())
    }

    func show(_ table: Table, what: String, isWide: Bool = false) {
        if items.isEmpty { return print("no \(what)") }
        table.show(isWide: isWide)
        if total > items.count { print("\(items.count) of \(total) \(what); --limit shows more (up to 1000)") }
    }
}

/// How much of a list.
struct LimitOption: ParsableArguments {
    @Option(help: "How many at most, 1 to 1000.") var limit = 50

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit must be 1 to 1000") }
    }
}
