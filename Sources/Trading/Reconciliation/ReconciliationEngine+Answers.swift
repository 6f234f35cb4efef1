public import Domain

// An operator who looked at the account answers; what he says acts as a witness would.
extension ReconciliationEngine {
    public enum AnswerError: Error, Sendable, Equatable {
        case unknownQuestion
        case notOpen
        /// The word does not answer this kind of question; carries those that do.
        case wrongWord([ReconciliationAnswer.Word])
        case missing(String)
    }

    /// Words that answer a kind of question.
    public static func words(for kind: ReconciliationQuestion.Kind) -> [ReconciliationAnswer.Word] {
        switch kind {
        case .silentClose: [.closed, .open]
        // One about the account as a whole names no ticket: with `closed` the operator does.
        case .ghost: [.closed, .open, .noted]
        case .unknownFire: [.neverExecuted, .rejected, .filled]
        case .unexplainedStep: [.noted]
        }
    }

    /// An operator looked at the account: what he says acts as a witness would.
    public mutating func answer(
        _ identifier: String, _ answer: ReconciliationAnswer, _ tracker: PositionTrackerEngine, now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) throws(AnswerError) -> ReconciliationQuestion {
        guard var question = questions[identifier] else { throw .unknownQuestion }
        guard question.state == .open else { throw .notOpen }
        let words = ReconciliationEngine.words(for: question.kind)
        guard words.contains(answer.word) else { throw .wrongWord(words) }
        guard var state = accounts[question.accountKey] else { throw .unknownQuestion }
        switch answer.word {
        case .closed:
            guard let ticket = question.ticket ?? answer.ticket else { throw .missing("ticket") }
            guard let position = tracker.positions[state.positionKey(ticket)] else { throw .notOpen }
            var trade = closing(position, state, by: .operator)
            trade.profit = answer.profit
            trade.price = answer.price
            infer(trade, now: now, into: &outputs)
        case .open:
            if let ticket = question.ticket {
                state.keptOpen[ticket] = now
                state.touches[ticket] = nil
            } else {
                state.acceptMargin()
            }
        case .neverExecuted, .rejected:
            guard let fireID = question.fireID else { throw .missing("fire_id") }
            let word: FireState = answer.word == .rejected ? .rejected : .neverExecuted
            outputs.append(.settle(fireID: fireID, word, reason: answer.reason, by: "operator"))
        case .filled:
            infer(try filled(question, answer, state, tracker), now: now, into: &outputs)
        case .noted:
            for index in state.steps.indices where state.steps[index].subject == question.subject {
                state.steps[index].isNoted = true
            }
            if question.kind == .ghost { state.acceptMargin() }
        }
        question.state = .answered
        question.answer = answer.word.rawValue
        question.answeredAt = now
        question.reason = answer.reason
        keep(question)
        due.insert(question.accountKey)
        accounts[question.accountKey] = state
        changed.insert(question.accountKey)
        outputs.append(.ask(question))
        outputs.append(
            .audit(
                event: "answer",
                [
                    "question_id": identifier, "answer": answer.word.rawValue, "reason": answer.reason,
                    "profit": answer.profit ?? "", "ticket": answer.ticket.map(String.init) ?? "",
                ]))
        return question
    }

    private func filled(
        _ question: ReconciliationQuestion, _ answer: ReconciliationAnswer, _ state: AccountState,
        _ tracker: PositionTrackerEngine
    ) throws(AnswerError) -> InferredTrade {
        guard let ticket = answer.ticket, ticket > 0 else { throw .missing("ticket") }
        guard let fireID = question.fireID, let fire = tracker.fires[fireID] else { throw .notOpen }
        let quoted = fire.direction == .buy ? fire.quoteAsk : fire.quoteBid
        guard let price = answer.price ?? quoted?.description else { throw .missing("open_price") }
        var trade = InferredTrade(
            .opened, state.positionKey(ticket), userUUID: fire.userUUID, witness: .operator)
        trade.nodeID = fire.nodeID
        trade.symbol = fire.symbol
        trade.direction = fire.direction
        trade.volume = fire.lot
        trade.price = price
        trade.fireID = fireID
        trade.currency = state.currency
        return trade
    }
}
