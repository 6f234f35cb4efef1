import ArgumentParser
import ServiceKit
import Wire

/// `meshctl user`.
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Register, import, change, suspend, remove and find users.",
        discussion: """
            A user's tier decides slots and risk (deploy/config/tiers.yaml). Users nobody registered are RECRUIT; where
            the EA ports are open to the world they are listed but not fired at until `user add`.

            Examples:
              meshctl user add COMMANDER_DEV_001 --tier COMMANDER
              meshctl user show COMMANDER_DEV_001
              meshctl user suspend COMMANDER_DEV_001
              meshctl user remove COMMANDER_DEV_001
            """,
        subcommands: [
            Add.self, Set.self, Show.self, Suspend.self, Remove.self, Import.self, Find.self, List.self,
        ])

    struct Settings: ParsableArguments {
        @Option(help: "RECRUIT to COMMANDER.") var tier: String?
        @Option(help: "Percent of equity for one trade, instead of the usual base.") var riskPct: DecimalArgument?
        @Option(help: "No fires once the day's loss is this percent of equity; 0: no cap; default: the usual one.")
        var dailyLossPct: PercentArgument?
        @Option(help: "The most percent of equity at risk in all open trades; 0: no cap; default: the usual one.")
        var openRiskPct: PercentArgument?
        @Option(help: "The login his terminal must name; default: any.") var account: String?
        @Option(help: "The broker server his terminal must name; default: any.") var server: String?
        @Option(help: "From where his terminal may speak: addresses with commas, any, or learned (the usual).")
        var address: String?

        var fields: JSONObject {
            var fields = JSONObject()
            if let tier { fields.append("tier", .string(tier)) }
            if let riskPct { fields.append("risk_pct", riskPct.json) }
            if let dailyLossPct { fields.append("daily_loss_pct", dailyLossPct.json) }
            if let openRiskPct { fields.append("open_risk_pct", openRiskPct.json) }
            if let account { fields.append("account", .string(account)) }
            if let server { fields.append("server", .string(server)) }
            if let address { fields.append("addresses", .string(address)) }
            return fields
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a user; without a UUID one is issued.",
            discussion: """
                An issued UUID is unique before its last character, which EA 2.05 cuts from its routing identity. Write it \
                into the terminal's bitten_deployment.cfg as UUID=….
                Examples:
                  meshctl user add --tier SERGEANT --account 5012345 --server Broker-Live
                  meshctl user add COMMANDER_DEV_001 --tier COMMANDER --address 203.0.113.7
                """)

        @Argument(help: "The user's UUID, as his EA sends it; left out, one is issued.") var user: String?
        @OptionGroup var settings: Settings
        @OptionGroup var query: QueryOptions

        func run() throws {
            let mesh = try query.mesh()
            if let user, let complaint = UserNames.complaint(about: user) {
                throw ToolError(ExitStatus.usage, "'\(TerminalText.sanitised(user))' \(complaint)")
            }
            let uuid = try user ?? UserCommand.issue(mesh)
            if let neighbour = try user.map({ try UserCommand.neighbour(of: $0, mesh) }) ?? nil {
                StandardError.write(
                    line:
                        "meshctl: '\(uuid)' and '\(neighbour)' differ in the last character only: EA 2.05 would speak "
                        + "for both as one, and neither would be fired at")
            }
            try UserCommand.set(uuid, settings.fields, query)
        }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a user's tier, risk, caps, binding or state.",
            discussion: """
                Examples:
                  meshctl user set COMMANDER_DEV_001 --state active
                  meshctl user set COMMANDER_DEV_001 --daily-loss-pct 5 --open-risk-pct 10
                """)

        @Argument(help: "The user's UUID.") var user: String
        @OptionGroup var settings: Settings
        @Option(help: "active or suspended.") var state: String?
        @OptionGroup var query: QueryOptions

        func validate() throws {
            guard state != nil || !settings.fields.isEmpty else {
                throw ValidationError(
                    "say what to change: --tier, --risk-pct, --daily-loss-pct, --open-risk-pct, --account, --server, "
                        + "--address or --state")
            }
            guard state.map({ $0 == "active" || $0 == "suspended" }) ?? true else {
                throw ValidationError("--state is active or suspended")
            }
        }

        func run() throws {
            var fields = settings.fields
            if let state { fields.append("state", .string(state)) }
            fields.append("existing", .bool(true))
            try UserCommand.set(user, fields, query)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a user: tier, risk, slots, terminal.")

        @Argument(help: "The user's UUID.") var user: String
        @OptionGroup var query: QueryOptions

        func run() throws {
            let mesh = try query.mesh()
            var reply = try RequestPort(mesh, .orders).demand(["type": .string("user"), "user_uuid": .string(user)])
            let slots = try RequestPort(mesh, .orders).demand(["type": .string("slots"), "user_uuid": .string(user)])
            reply["slots_used"] = slots["slots_used"]
            reply["slots"] = slots["slots"]
            UserCommand.show(reply, query)
            if reply["known"]?.bool == false {
                if !query.json { print("nobody registered this user, and no terminal of his was seen") }
                throw ExitCode(ExitStatus.denied)
            }
        }
    }

    struct Suspend: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop all fires for a user; closes still go through.",
            discussion: "`meshctl user set UUID --state active` ends it.")

        @Argument(help: "The user's UUID.") var user: String
        @OptionGroup var query: QueryOptions

        func run() throws {
            try UserCommand.set(user, ["state": .string("suspended"), "existing": .bool(true)], query)
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a user's registration away; what he traded stays in the books.",
            discussion: """
                Refused while he has open positions or fires that are not over: suspend him first. His terminal is seen \
                afterwards like one nobody registered.
                """)

        @Argument(help: "The user's UUID.") var user: String
        @OptionGroup var query: QueryOptions

        func run() throws {
            let reply = try RequestPort(query.mesh(), .orders).demand([
                "type": .string("remove_user"), "user_uuid": .string(user),
            ])
            UserCommand.show(reply, query)
        }
    }

    static func set(_ user: String, _ fields: JSONObject, _ query: QueryOptions) throws {
        var request: JSONObject = ["type": .string("set_user"), "user_uuid": .string(user)]
        for field in fields.fields { request.append(field.name, field.value) }
        let reply = try RequestPort(query.mesh(), .orders).demand(request)
        show(reply, query)
        guard reply["recorded"]?.bool == false else { return }
        throw ToolError(ExitStatus.unavailable, "taken, but Redis is away: it is written when Redis returns")
    }

    static func show(_ reply: JSONObject, _ query: QueryOptions) {
        if query.json { return print(reply.compactText) }
        for line in Fields.lines(reply, without: ["ok", "request_id", "recorded"]) { print(line) }
    }
}
