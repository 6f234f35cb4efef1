import ArgumentParser
import ServiceKit
import Wire

/// `meshctl close`.
struct CloseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close", abstract: "Close one position, all of a user, all in a symbol, or all there are.",
        discussion: """
            Closes pass every queue. A terminal reads them when its chart's symbol ticks; the reply says when that
            market is quiet. The brake HALTED stops closes too, and so does a ticket that is not open in the mesh's books,
            unless --force says that somebody looked: then the terminal is told to close it all the same.

            Examples:
              meshctl close --user COMMANDER_DEV_001 --ticket 21153092
              meshctl close --all-of-user COMMANDER_DEV_001
              meshctl close --symbol XAUUSD
              meshctl close --all --yes
            """)

    @Option(help: "The user whose ticket it is.") var user: String?
    @Option(help: "The position's ticket.") var ticket: Int64?
    @Option(help: "Everything of this user; fires still waiting for him are withdrawn.") var allOfUser: String?
    @Option(help: "Everything in this symbol; fires in it that still wait are withdrawn.") var symbol: String?
    @Flag(help: "Everything. Needs --yes.") var all = false
    @Flag(help: "Yes, really everything.") var yes = false
    @Flag(help: "Close although the brake is HALTED or the ticket is not known here.") var force = false
    @OptionGroup var query: QueryOptions

    func validate() throws {
        let ways = [user != nil || ticket != nil, allOfUser != nil, symbol != nil, all].count { $0 }
        guard ways == 1 else {
            throw ValidationError("say which: --user with --ticket, --all-of-user, --symbol, or --all --yes")
        }
        guard (user == nil) == (ticket == nil) else { throw ValidationError("--user and --ticket go together") }
        guard ticket ?? 1 > 0 else { throw ValidationError("--ticket must be above 0") }
        guard !all || yes else { throw ValidationError("--all closes every position of every user: add --yes") }
    }

    var request: JSONObject {
        var request = target
        if force { request.append("force", .bool(true)) }
        return request
    }

    private var target: JSONObject {
        if let user, let ticket {
            return ["type": .string("close"), "user_uuid": .string(user), "ticket": .integer(ticket)]
        }
        if let allOfUser { return ["type": .string("close_all"), "user_uuid": .string(allOfUser)] }
        if let symbol { return ["type": .string("close_all"), "symbol": .string(symbol)] }
        return ["type": .string("close_all"), "all": .bool(true)]
    }

    func run() throws {
        let reply = try RequestPort(query.mesh(), .orders).demand(request)
        if query.json {
            print(reply.compactText)
        } else {
            for line in CloseCommand.lines(reply) { print(line) }
        }
        if reply["state"]?.text == "denied" { throw ExitCode(ExitStatus.denied) }
    }

    static func lines(_ reply: JSONObject, coloured: Bool = Style.isWanted) -> [String] {
        guard let state = reply["state"]?.text else {
            return Fields.lines(reply, without: ["ok", "request_id"])
        }
        var head = Style.of(state: state).applied(to: TerminalText.sanitised(state), coloured: coloured)
        if let reason = reply["reason"]?.text { head += ": \(TerminalText.sanitised(reason))" }
        if let message = reply["message"]?.text { head += " (\(TerminalText.sanitised(message)))" }
        var lines = [head]
        if reply["market_quiet"]?.bool == true {
            lines.append("the market of the terminal's chart is quiet: it reads the command with the next tick there")
        }
        if reply["known"]?.bool == false {
            if state != "denied" {
                lines.append(
                    "no open position with this ticket is known here; the command went to the terminal all the same")
            }
            if let hint = reply["hint"]?.text { lines.append(TerminalText.sanitised(hint)) }
        }
        return lines
            + Fields.lines(
                reply, without: ["ok", "request_id", "state", "reason", "message", "market_quiet", "known", "hint"],
                indent: 2)
    }
}
