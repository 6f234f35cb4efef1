import ArgumentParser
import ServiceKit
import Wire

/// `meshctl brake`.
struct BrakeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "brake", abstract: "Show the brakes in force, or set one.",
        discussion: """
            REDUCING lets only closes through; HALTED nothing, closes only with `meshctl close --force`; ACTIVE releases.
            The tightest brake that covers a fire counts. Setting one and lifting one need a reason.

            Examples:
              meshctl brake
              meshctl brake HALTED --reason "broker outage"
              meshctl brake REDUCING --scope symbol:XAUUSD --reason "news"
              meshctl brake ACTIVE --reason "the broker confirms all accounts"
            """)

    @Argument(help: "ACTIVE, REDUCING or HALTED; without it the brakes in force are shown.") var word: String?
    @Option(help: "The same as the word.") var state: String?
    @Option(help: "all, tier:NAME, broker:SERVER, symbol:NAME or user:UUID.") var scope = "all"
    @Option(help: "Why; kept in the audit trail.") var reason: String?
    @OptionGroup var query: QueryOptions

    func validate() throws {
        guard word == nil || state == nil else { throw ValidationError("say the state once: \(word ?? "") or --state") }
        guard let state = wanted else {
            if reason != nil || scope != "all" {
                throw ValidationError("--scope and --reason go with ACTIVE, REDUCING or HALTED")
            }
            return
        }
        guard ["ACTIVE", "REDUCING", "HALTED"].contains(state.uppercased()) else {
            throw ValidationError("the state is ACTIVE, REDUCING or HALTED")
        }
        guard reason?.isEmpty == false else { throw ValidationError("say why: --reason TEXT") }
    }

    private var wanted: String? { word ?? state }

    var request: JSONObject {
        var request: JSONObject = ["type": .string("brake")]
        if let wanted { request.append("state", .string(wanted.uppercased())) }
        if wanted != nil { request.append("scope", .string(scope)) }
        if let reason { request.append("reason", .string(reason)) }
        return request
    }

    func run() throws {
        let reply = try RequestPort(query.mesh(), .orders).demand(request)
        if query.json { return print(reply.compactText) }
        guard let brakes = reply["brakes"]?.array else {
            for line in Fields.lines(reply, without: ["ok", "request_id", "warning"]) { print(line) }
            if let warning = reply["warning"]?.text { print("warning: \(TerminalText.sanitised(warning))") }
            return
        }
        guard !brakes.isEmpty else { return print("no brake is set: fires go through") }
        var table = Table([.text("scope"), .text("state"), .text("since"), .text("reason")])
        for brake in brakes.compactMap(\.object) {
            table.add([
                Table.Cell(Fields.text(brake["scope"])), .state(Fields.text(brake["state"])),
                Table.Cell(Fields.time(brake["set_at"])), Table.Cell(Fields.text(brake["reason"])),
            ])
        }
        table.show(isWide: query.wide)
    }
}
