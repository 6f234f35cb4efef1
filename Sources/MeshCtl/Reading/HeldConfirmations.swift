import ArgumentParser
import Domain
import Journal
import ServiceKit
import Wire

extension NodesCommand {
    /// Decides about confirmations that came from where a user's terminal does not speak.
    struct Confirmations: ParsableCommand {
        enum Action: String, ExpressibleByArgument, CaseIterable { case accept, drop }

        static let configuration = CommandConfiguration(
            abstract: "Take in or let go of confirmations that are held for a user.",
            discussion: """
                Confirmations from an address a terminal does not speak from are journaled and held, at most 50 for each \
                address, for 7 days, and alert meanwhile. `accept` books them as the terminal's own; `drop` lets them go; \
                the journal keeps them either way. Where they came from several addresses `accept` has to say which.
                Examples:
                  meshctl nodes confirmations COMMANDER_DEV_001 drop
                  meshctl nodes confirmations COMMANDER_DEV_001 accept --address 203.0.113.7
                """)

        @Argument(help: "The user's UUID.") var user: String
        @Argument(help: "accept or drop.") var action: Action
        @Option(help: "Only what came from this address.") var address: String?
        @OptionGroup var query: QueryOptions

        func run() throws {
            let mesh = try query.mesh()
            let secret = SharedSecret(path: mesh.configuration.witnessKeyFile)
            if let problem = secret.refresh() { throw ToolError(ExitStatus.unavailable, problem) }
            var request: JSONObject = [
                "type": .string("held_confirmations"), "user_uuid": .string(user), "action": .string(action.rawValue),
                "at": .integer(SystemClock.now().milliseconds),
            ]
            if let address { request.append("address", .string(address)) }
            guard let signature = secret.signature(of: request.signedBytes) else {
                throw ToolError(ExitStatus.unavailable, "\(secret.path) holds no secret")
            }
            request.append(JSONObject.signatureName, .string(signature))
            let reply = try RequestPort(mesh, .eaReceipts).demand(request)
            UserCommand.show(reply, query)
            if reply["messages"]?.text == "0" {
                if !query.json { print("nothing is held for '\(TerminalText.sanitised(user))'") }
                throw ExitCode(ExitStatus.denied)
            }
        }
    }
}
