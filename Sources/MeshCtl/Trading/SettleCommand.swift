import ArgumentParser
import ServiceKit
import Wire

/// `meshctl settle`.
struct SettleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settle", abstract: "End a fire whose outcome is unknown, and free its slot.",
        discussion: """
            For an operator who looked at the account: the fire never traded, or its broker refused it. A fill is booked
            by its confirmation, however late, or by `meshctl answer`.

            Example:
              meshctl settle cli-mi8q2k7f-04zx never_executed --reason "not in the account's history"
            """)

    static let outcomes = ["never_executed", "rejected"]

    @Argument(help: "The fire's id.") var fireID: String
    @Argument(help: "never_executed or rejected.") var outcome: String
    @Option(help: "How you know; kept in the audit trail.") var reason: String
    @OptionGroup var query: QueryOptions

    func validate() throws {
        guard SettleCommand.outcomes.contains(outcome) else {
            throw ValidationError("the outcome is never_executed or rejected; a fill comes by its confirmation")
        }
        guard !reason.isEmpty else { throw ValidationError("say how you know: --reason TEXT") }
    }

    var request: JSONObject {
        [
            "type": .string("settle"), "fire_id": .string(fireID), "outcome": .string(outcome),
            "reason": .string(reason),
        ]
    }

    func run() throws {
        let reply = try RequestPort(query.mesh(), .orders).demand(request)
        if query.json { return print(reply.compactText) }
        print("\(Fields.text(reply["fire_id"])): \(Fields.text(reply["state"])); its slot is free")
    }
}
