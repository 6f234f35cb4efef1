import ArgumentParser
import ServiceKit
import Wire

/// `meshctl withdraw`.
struct WithdrawCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw", abstract: "Take back a fire that still waits here, or all of a user.",
        discussion: """
            What has left for a terminal can't be taken back: it is closed (meshctl close).

            Examples:
              meshctl withdraw morning.3
              meshctl withdraw --user COMMANDER_DEV_001 --reason "wrong stop"

            Exit codes: 0 withdrawn, 1 nothing waited.
            """)

    @Argument(help: "The fire's id.") var fireID: String?
    @Option(help: "All that wait for this user.") var user: String?
    @Option(help: "Why; kept in the audit trail.") var reason: String?
    @OptionGroup var query: QueryOptions

    func validate() throws {
        guard (fireID == nil) != (user == nil) else { throw ValidationError("say which: a fire's id, or --user UUID") }
    }

    var request: JSONObject {
        var request: JSONObject = ["type": .string("withdraw")]
        if let fireID { request.append("fire_id", .string(fireID)) }
        if let user { request.append("user_uuid", .string(user)) }
        if let reason { request.append("reason", .string(reason)) }
        return request
    }

    func run() throws {
        let reply = try RequestPort(query.mesh(), .orders).demand(request)
        let withdrawn = reply["withdrawn"]?.array ?? []
        if query.json {
            print(reply.compactText)
        } else {
            print(withdrawn.isEmpty ? "nothing waits for this user" : "withdrawn: \(Fields.text(reply["withdrawn"]))")
        }
        if withdrawn.isEmpty { throw ExitCode(ExitStatus.denied) }
    }
}
