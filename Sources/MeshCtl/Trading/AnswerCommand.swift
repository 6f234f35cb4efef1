import ArgumentParser
import ServiceKit
import Wire

/// `meshctl answer`.
struct AnswerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer", abstract: "Answer a question of the reconciliation.",
        discussion: """
            `meshctl questions` lists them with their ids. The answer is booked like a message of the terminal, marked
            as an operator's, and kept in the audit trail.

            Examples:
              meshctl answer 'silent_close|IC-Live07|843859|21153092' closed --profit=-12.40 --reason "history tab"
              meshctl answer 'unknown_fire|IC-Live07|843859|morning.3' filled --ticket 21153099 --reason "open in the terminal"
              meshctl answer 'unexplained_step|IC-Live07|843859|17' noted --reason "withdrawal by the customer"
            """)

    static let answers = ["closed", "open", "never_executed", "rejected", "filled", "noted"]

    @Argument(help: "The question's id; in quotes, it contains '|'.") var questionID: String
    @Argument(help: "closed, open, never_executed, rejected, filled or noted.") var answer: String
    @Option(parsing: .unconditional, help: "closed: its profit in the account's currency, where you know it.")
    var profit: SignedDecimalArgument?
    @Option(help: "closed: the price.") var closePrice: DecimalArgument?
    @Option(help: "filled: the position's ticket.") var ticket: Int64?
    @Option(help: "filled: its opening price; without it the quote the fire was sent at.") var openPrice:
        DecimalArgument?
    @Option(help: "How you know; kept in the audit trail.") var reason: String
    @OptionGroup var query: QueryOptions

    func validate() throws {
        guard AnswerCommand.answers.contains(answer) else {
            throw ValidationError("the answer is one of \(AnswerCommand.answers.joined(separator: ", "))")
        }
        guard !reason.isEmpty else { throw ValidationError("say how you know: --reason TEXT") }
        guard answer == "closed" || (profit == nil && closePrice == nil) else {
            throw ValidationError("--profit and --close-price go with the answer 'closed'")
        }
        guard answer == "filled" || (ticket == nil && openPrice == nil) else {
            throw ValidationError("--ticket and --open-price go with the answer 'filled'")
        }
        guard answer != "filled" || (ticket ?? 0) > 0 else {
            throw ValidationError("say which position it is: --ticket TICKET, above 0")
        }
    }

    var request: JSONObject {
        var request: JSONObject = [
            "type": .string("answer"), "question_id": .string(questionID), "answer": .string(answer),
        ]
        if let profit { request.append("profit", profit.json) }
        if let closePrice { request.append("close_price", closePrice.json) }
        if let openPrice { request.append("open_price", openPrice.json) }
        if let ticket { request.append("ticket", .integer(ticket)) }
        request.append("reason", .string(reason))
        return request
    }

    func run() throws {
        let reply = try RequestPort(query.mesh(), .orders).demand(request)
        if query.json { return print(reply.compactText) }
        print("answered: \(answer)")
        Output.show(Fields.lines(reply, without: ["ok", "request_id"], indent: 2))
    }
}
