import ArgumentParser
import Domain
import ServiceKit
import Supervision
import Wire

/// `meshctl status`: the same truth as `/health`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say whether the mesh can do its job, and what stands in its way.",
        discussion: """
            Shows what the dashboard's /health says. Where the dashboard is away, services and Redis are asked \
            directly, and the answer is at least a warning.

            Exit codes: 0 good, 1 warning, 2 critical (also: not running), 3 unknown.

            Examples:
              meshctl status
              meshctl status --json
            """)

    @OptionGroup var query: QueryOptions

    func run() throws {
        var verdict = Verdict.unknown
        try Verdict.unlessKnown { verdict = try show(query.mesh()) }
        try verdict.exit()
    }

    private func show(_ mesh: Mesh) throws -> Verdict {
        let client = HTTPClient(port: mesh.configuration.ports[.health].port)
        do throws(ToolError) {
            let answer = try client.get("/health")
            guard let health = answer.json?.object, health["status"] != nil else {
                throw ToolError(ExitStatus.unavailable, "what answers on the dashboard's port is not the dashboard")
            }
            show(health, mesh, services: try? client.get("/services").json?.object?["items"]?.array)
            return StatusCommand.verdict(health)
        } catch {
            return showDirectly(mesh, why: error.message)
        }
    }

    static func verdict(_ health: JSONObject) -> Verdict {
        switch health["status"]?.text {
        case "pass": .good
        case "warn": .warning
        case "fail": .critical
        default: .unknown
        }
    }

    private func show(_ health: JSONObject, _ mesh: Mesh, services: [JSON]?) {
        if query.json {
            var answer = health
            answer["source"] = .string("http")
            return print(answer.compactText)
        }
        if health["demo"]?.bool == true { print(Style.warning.applied(to: "DEMO: simulated terminals and prices")) }
        for line in StatusText.lines(health) { Screen.show(line, isWide: query.wide) }
        guard let services, !services.isEmpty else { return }
        print()
        StatusText.services(services).show(isWide: query.wide)
    }

    // MARK: - Without the dashboard

    private func showDirectly(_ mesh: Mesh, why: String) -> Verdict {
        let direct = DirectStatus(mesh)
        if query.json {
            print(direct.json(why: why).compactText)
            return direct.verdict
        }
        guard direct.isPresent else {
            print("\(Style.bad.applied(to: "not running")): ./start_all_services.sh starts the mesh")
            return direct.verdict
        }
        let word = direct.verdict == .critical ? "fail" : "warn"
        print("\(Style.of(state: word).applied(to: word)): \(TerminalText.sanitised(why))")
        print("redis: \(direct.redisProblem ?? "answers")")
        print()
        direct.table.show(isWide: query.wide)
        return direct.verdict
    }
}
