import ArgumentParser
import Foundation
import Wire

/// `meshctl live`: what `./test_all_services.sh --live` prints.
struct LiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "live",
        abstract: "Check the running mesh in six lines: Redis, ZMQ, ports, persistence, APIs, dashboard.",
        discussion: """
            Exit code 0 only when all six are good.

            Examples:
              meshctl live
              meshctl live --json
            """)

    @OptionGroup var query: QueryOptions

    func run() throws {
        let checks = LiveCheck(try query.mesh()).run()
        let good = checks.count { $0.problem == nil }
        if query.json {
            let items = checks.map { check -> JSON in
                .object([
                    "name": .string(check.name), "ok": .bool(check.problem == nil),
                    "message": .string(check.problem ?? check.text),
                ])
            }
            let answer: JSONObject = [
                "ok": .bool(good == checks.count), "good": .integer(good), "total": .integer(checks.count),
                "checks": .array(items),
            ]
            print(answer.compactText)
        } else {
            for check in checks {
                let word = check.problem == nil ? Style.good.applied(to: "ok    ") : Style.bad.applied(to: "failed")
                let name = check.name.padding(toLength: 12, withPad: " ", startingAt: 0)
                print("\(name) \(word)  \(TerminalText.sanitised(check.problem ?? check.text))")
            }
            print("\(good) of \(checks.count)")
        }
        if good < checks.count { throw ExitCode(1) }
    }
}
