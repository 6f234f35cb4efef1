import Domain

// From findings to inferred trades and questions, and from an operator's answers to both.
extension ReconciliationEngine {
    /// Everything that can be concluded of one account now.
    mutating func judge(
        _ key: String, _ tracker: PositionTrackerEngine, now: Timestamp, into outputs: inout [ReconciliationOutput]
    ) {
        guard var state = accounts[key] else { return }
        let before = state
        explain(&state, tracker)
        if state.witness == .positions { judgeList(&state, tracker, now: now, into: &outputs) }
        judgeFlat(&state, tracker, now: now, into: &outputs)
        judgeSteps(&state, tracker, now: now, into: &outputs)
        judgeMismatch(state, now: now, into: &outputs)
        judgeMargin(state, now: now, into: &outputs)
        judgeFires(&state, tracker, now: now, into: &outputs)
        accounts[key] = state
        let isRestless = !state.steps.isEmpty || !state.watches.isEmpty
        if isRestless { restless.insert(key) } else { restless.remove(key) }
        withdrawAnswered(state, tracker, into: &outputs)
        if !state.isSame(as: before) { changed.insert(key) }
    }

    /// Tries every combination of causes, so only where something changed: an unexplained step is looked at each second.
    private mutating func explain(_ state: inout AccountState, _ tracker: PositionTrackerEngine) {
        guard !state.steps.isEmpty else { return explained[state.key] = nil }
        let open = (ours[state.key] ?? []).compactMap { tracker.positions[$0] }
        guard explained[state.key] != state.basis(open) else { return }
        state.explain(open)
        explained[state.key] = state.basis(open)
    }

    // MARK: - Inferring

    func closing(_ position: Position, _ state: AccountState, by witness: InferredTrade.Witness) -> InferredTrade {
        var trade = InferredTrade(.closed, position.key, userUUID: position.userUUID, witness: witness)
        trade.nodeID = state.nodeID ?? position.nodeID
        trade.symbol = position.symbol
        trade.direction = position.direction
        trade.fireID = position.fireID
        trade.currency = position.currency ?? state.currency
        trade.reason = state.touches[position.key.ticket]?.reason
        return trade
    }

    mutating func close(
        _ position: Position, _ state: AccountState, by witness: InferredTrade.Witness, profit: String?,
        at moment: Timestamp?, now: Timestamp, into outputs: inout [ReconciliationOutput]
    ) {
        guard state.keptOpen[position.key.ticket].map({ kept in state.lookedAt.map { $0 > kept } ?? false }) ?? true
        else { return }
        var trade = closing(position, state, by: witness)
        trade.profit = profit
        trade.closeTime = moment.flatMap { brokerText($0, state.key) }
        infer(trade, now: now, into: &outputs)
    }

    /// Sends an inferred trade unless it is under way.
    mutating func infer(_ trade: InferredTrade, now: Timestamp, into outputs: inout [ReconciliationOutput]) {
        guard underWay[trade.identity] == nil else { return }
        underWay[trade.identity] = now
        outputs.append(.infer(trade))
        outputs.append(.count("inferred_\(trade.kind == .opened ? "opened" : "closed")"))
    }

    // MARK: - Asking

    mutating func put(_ question: ReconciliationQuestion, into outputs: inout [ReconciliationOutput]) {
        // Asked once; an answer stands until what it is about is over.
        guard questions[question.identifier] == nil else { return }
        keep(question)
        outputs.append(.ask(question))
    }

    mutating func keep(_ question: ReconciliationQuestion) {
        questions[question.identifier] = question
        asked[question.accountKey, default: []].insert(question.identifier)
    }

    private mutating func forget(_ identifier: String) -> ReconciliationQuestion? {
        guard let question = questions.removeValue(forKey: identifier) else { return nil }
        asked[question.accountKey]?.remove(identifier)
        if asked[question.accountKey]?.isEmpty == true { asked[question.accountKey] = nil }
        return question
    }

    func questions(of accountKey: String) -> [ReconciliationQuestion] {
        (asked[accountKey] ?? []).compactMap { questions[$0] }
    }

    mutating func askSilentClose(
        _ position: Position, _ state: AccountState, _ step: BalanceStep?, _ why: String, now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) {
        if let kept = state.keptOpen[position.key.ticket], step.map({ kept >= $0.at }) ?? true { return }
        var evidence: [(name: String, value: String)] = [("open_price", position.openPriceText)]
        if let step {
            evidence += [("from", step.from.money), ("to", step.to.money), ("at", String(step.at.milliseconds))]
        }
        if let stop = position.stopLoss { evidence.append(("sl", stop)) }
        if let target = position.takeProfit { evidence.append(("tp", target)) }
        if let touch = state.touches[position.key.ticket] { evidence.append(("touched", touch.reason)) }
        if let floating = state.floating { evidence.append(("floating", floating.money)) }
        var question = ReconciliationQuestion(
            .silentClose, about: String(position.key.ticket), server: state.server, account: state.account,
            userUUID: position.userUUID, text: "is \(position.key.ticket) (\(position.symbol)) closed? \(why)",
            evidence: evidence, askedAt: now)
        question.nodeID = state.nodeID
        question.ticket = position.key.ticket
        question.fireID = position.fireID
        question.symbol = position.symbol
        question.money = step?.amount.money
        question.currency = state.currency
        put(question, into: &outputs)
    }

    mutating func askStep(
        _ step: BalanceStep, _ state: AccountState, now: Timestamp,
        into outputs: inout [ReconciliationOutput]
    ) {
        // Somebody trades there by hand: more of the same question help nobody, and each step is shown as it is.
        let open = questions(of: state.key).count { $0.kind == .unexplainedStep && $0.state == .open }
        guard open < ReconciliationEngine.askedSteps, !areSmall(state.steps, state.balance) else { return }
        var question = ReconciliationQuestion(
            .unexplainedStep, about: step.subject, server: state.server, account: state.account,
            userUUID: state.userUUID,
            text: "the balance moved by \(step.amount.money) and nothing booked explains it: a deposit, a swap, a "
                + "trade by hand, or a silent close",
            evidence: [
                ("from", step.from.money), ("to", step.to.money), ("at", String(step.at.milliseconds)),
            ], askedAt: now)
        question.nodeID = state.nodeID
        question.money = step.amount.money
        question.currency = state.currency
        put(question, into: &outputs)
    }

    /// Swaps and fees of an account: listed as unexplained, and nobody is disturbed while all of them together are nothing
    /// beside its balance.
    private func areSmall(_ steps: [BalanceStep], _ balance: Amount?) -> Bool {
        let sum = steps.filter { !$0.isNoted }.reduce(Amount.zero) { $0 + $1.amount.magnitude }
        return sum <= (balance?.magnitude ?? .zero) * ReconciliationEngine.smallShare
    }

    mutating func withdraw(
        _ kind: ReconciliationQuestion.Kind, _ subject: String, _ state: AccountState, _ reason: String,
        into outputs: inout [ReconciliationOutput]
    ) {
        let identifier = "\(kind.rawValue)|\(state.key)|\(KeyPart.encode(subject))"
        guard let question = forget(identifier) else { return }
        if question.state == .open { outputs.append(.withdraw(questionID: identifier, reason: reason)) }
    }

    /// A booked event answers what was asked about its ticket and its fire.
    mutating func settleQuestions(
        after event: TradeEvent, _ state: AccountState, into outputs: inout [ReconciliationOutput]
    ) {
        if let ticket = event.ticket, event.kind == .closed, event.isFinal {
            let reason = event.source == .inferred ? "found by a witness" : "the terminal told it"
            withdraw(.silentClose, String(ticket), state, reason, into: &outputs)
            withdraw(.ghost, String(ticket), state, reason, into: &outputs)
        }
        if let fireID = event.fireID, event.kind == .opened || event.kind == .failed || event.kind == .unknownCommand {
            withdraw(.unknownFire, fireID, state, "its answer came", into: &outputs)
        }
    }

    /// Questions whose reason is gone.
    private mutating func withdrawAnswered(
        _ state: AccountState, _ tracker: PositionTrackerEngine, into outputs: inout [ReconciliationOutput]
    ) {
        let subjects = Set(state.steps.map(\.subject))
        for question in questions(of: state.key).sorted(by: { $0.identifier < $1.identifier }) {
            switch question.kind {
            case .unexplainedStep:
                if !subjects.contains(question.subject) {
                    drop(question, "what was booked explains it", into: &outputs)
                }
            case .silentClose, .ghost:
                guard let ticket = question.ticket else { continue }
                if tracker.positions[state.positionKey(ticket)] == nil {
                    drop(question, "the position is closed in our books", into: &outputs)
                } else if question.state == .open, !isOpenQuestion(question, state) {
                    drop(question, "a later look shows it open, or the step is explained", into: &outputs)
                }
            case .unknownFire: continue
            }
        }
    }

    /// Whether what made us ask is still there: the step, or the flat look.
    private func isOpenQuestion(_ question: ReconciliationQuestion, _ state: AccountState) -> Bool {
        guard let at = question.evidence.first(where: { $0.name == "at" }).flatMap({ Int64($0.value) }) else {
            // Other exposure than before does not say that this one is open: the figures of our books do.
            return state.flatLooks > 0 || state.mismatch != nil || state.unfitting != nil
        }
        if let ticket = question.ticket, let listed = state.listedAt[ticket], listed.milliseconds >= at { return false }
        return state.steps.contains { $0.at.milliseconds == at && !$0.isNoted }
    }

    private mutating func drop(
        _ question: ReconciliationQuestion, _ reason: String, into outputs: inout [ReconciliationOutput]
    ) {
        _ = forget(question.identifier)
        if question.state == .open {
            outputs.append(.withdraw(questionID: question.identifier, reason: reason))
        }
    }
}
