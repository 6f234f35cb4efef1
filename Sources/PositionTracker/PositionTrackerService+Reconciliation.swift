import Domain
import ServiceKit
import Trading
import Wire

// Reconciliation on port `orders`: look-ups, and an operator's answers. Source: the contract, section 2.
extension PositionTrackerService {
    private static let mostItems = 1000

    func reconciliation(_ request: Request, _ fields: OrderFields) {
        answering(request) { () throws(OrderError) -> JSONObject in
            try checkLoaded()
            let user = try fields.optionalText("user_uuid")
            let account = try fields.optionalText("account")
            let found = reconciler.accounts.values.filter {
                (user == nil || $0.userUUID == user) && (account == nil || $0.account == account)
            }
            let keys = found.map(\.key).sorted()
            let items = keys.prefix(PositionTrackerService.mostItems).compactMap {
                reconciler.reconciliation($0, engine, now: request.receivedAt).map { JSON.object($0.json) }
            }
            return ["total": .integer(keys.count), "items": .array(items)]
        }
    }

    func questions(_ request: Request, _ fields: OrderFields) {
        answering(request) { () throws(OrderError) -> JSONObject in
            try checkLoaded()
            let text = try fields.optionalText("state", else: "open")
            guard let state = text.flatMap(ReconciliationQuestion.State.init(rawValue:)), state != .withdrawn else {
                throw .bad("state", "must be open or answered")
            }
            let user = try fields.optionalText("user_uuid")
            let found = reconciler.questions.values.filter {
                $0.state == state && (user == nil || $0.userUUID == user)
            }
            let sorted = found.sorted { ($0.askedAt, $0.identifier) < ($1.askedAt, $1.identifier) }
            let items = sorted.prefix(PositionTrackerService.mostItems).map { JSON.object($0.json) }
            return ["total": .integer(found.count), "items": .array(items)]
        }
    }

    func answerQuestion(_ request: Request, _ fields: OrderFields) throws(OrderError) {
        let identifier = try fields.text("question_id", maximum: 600)
        let word = try fields.text("answer")
        guard let word = ReconciliationAnswer.Word(rawValue: word) else {
            let words = ReconciliationAnswer.Word.allCases.map(\.rawValue).joined(separator: " ")
            throw .bad("answer", "must be one of \(words)")
        }
        var answer = ReconciliationAnswer(word, reason: try fields.text("reason", maximum: 200))
        if let text = fields.object["profit"]?.text {
            guard Amount(text) != nil, JSON.isNumber(text) else { throw .bad("profit", "must be a decimal number") }
            answer.profit = text
        }
        answer.price = try fields.amount("close_price", or: "open_price")?.description
        answer.ticket = try fields.integer("ticket")
        guard store.isAvailable, reconciliationDesk.isLoaded else {
            throw OrderError(
                code: DenialReason.stateUnavailable.rawValue, message: "the mesh's Redis did not answer; try again")
        }
        var outputs: [ReconciliationOutput] = []
        do throws(ReconciliationEngine.AnswerError) {
            let question = try reconciler.answer(identifier, answer, engine, now: request.receivedAt, into: &outputs)
            for output in outputs { execute(output, request.receivedAt) }
            orders?.reply(request, question.json)
        } catch {
            throw OrderError(error, identifier)
        }
    }

    /// An empty list would be read as "nothing is asked".
    private func checkLoaded() throws(OrderError) {
        guard reconciliationDesk.isLoaded else {
            throw OrderError(
                code: DenialReason.stateUnavailable.rawValue,
                message: "position-tracker is still reading what it knows of accounts; try again")
        }
    }

    private func answering(_ request: Request, _ body: () throws(OrderError) -> JSONObject) {
        do throws(OrderError) {
            orders?.reply(request, try body())
        } catch {
            report.reject(error.code)
            orders?.fail(request, error.code, error.message)
        }
    }
}

extension OrderError {
    fileprivate init(_ error: ReconciliationEngine.AnswerError, _ identifier: String) {
        self =
            switch error {
            case .unknownQuestion: OrderError(code: "unknown_question", message: "no question '\(identifier)' is known")
            case .notOpen: OrderError(code: "not_open", message: "'\(identifier)' is answered, or what it asks is over")
            case .wrongWord(let words):
                .bad("answer", "must be one of \(words.map(\.rawValue).joined(separator: " ")) for this question")
            case .missing(let field): .missing(field)
            }
    }
}
