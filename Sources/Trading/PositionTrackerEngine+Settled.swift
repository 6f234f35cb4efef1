import Domain

// What is told of fires whose story seemed to be over.
extension PositionTrackerEngine {
    /// A row that is over and may still be revised, read at a start.
    public mutating func restore(settled fire: Fire) {
        guard fire.isRevisable, fires[fire.fireID] == nil, ended[fire.fireID] == nil else { return }
        settled[fire.fireID] = fire
    }

    /// An answer to a fire that is over: the terminal's own word after a witness's or an operator's, or a trade of what
    /// had been settled as never executed. The row keeps its state and says what came.
    mutating func revise(
        _ event: TradeEvent, _ state: FireState, provenBy closing: TradeEvent? = nil, _ effect: inout EventEffect,
        _ now: Timestamp, into outputs: inout [TrackerOutput]
    ) {
        guard let fireID = event.fireID, var fire = settled[fireID],
            event.userUUID == Party.unknownUser || event.userUUID == fire.userUUID
        else { return }
        let isContradiction = state == .filled && fire.canBeContradicted
        if !isContradiction {
            // A witness has nothing to add, nor has a closing, and one answer is enough.
            guard !event.isFromWitness, closing == nil, fire.times[.answered] == nil, agrees(fire, event, state) else {
                return
            }
        }
        fire.previousState = fire.state
        let word = fire.note(event, state, provenBy: closing)
        if isContradiction {
            effect.contradicts = !fire.isContradicted
            fire.isContradicted = true
            if !event.isFromWitness, closing == nil { fire.isLate = true }
            fire.ticket = event.ticket
            fire.note("contradicted", .applied, at: now, by: word)
            outputs.append(.count("fires_contradicted"))
            outputs.append(
                .audit(
                    event: "fire_contradicted",
                    [
                        "fire_id": fireID, "user_uuid": fire.userUUID, "state": fire.state.rawValue, "told": word,
                        "ticket": event.ticket.map { String($0) } ?? "", "event_id": event.eventID,
                    ]))
        } else {
            fire.note("applied", nil, at: now, by: word)
        }
        remember(fire)
        effect.fire = fire
    }

    /// Open positions of fires that had been settled as ones that did not trade, the oldest first.
    public var contradictions: [Position] {
        contradicting.compactMap { positions[$0] }.sorted {
            ($0.openedAt, $0.key.ticket) < ($1.openedAt, $1.key.ticket)
        }
    }

    /// What somebody should look at; nil where there is nothing.
    public var contradictionText: String? {
        guard let first = contradictions.first else { return nil }
        let more = contradicting.count > 1 ? " and \(contradicting.count - 1) more" : ""
        return
            "\(first.fireID ?? "a fire") was settled as \(first.contradicts?.rawValue ?? "over") and traded after all: "
            + "ticket \(first.key.ticket) of '\(first.userUUID)' is open\(more)"
    }

    /// Whether the terminal's word is of the same trade, or of none as well.
    private func agrees(_ fire: Fire, _ event: TradeEvent, _ state: FireState) -> Bool {
        guard state == .filled else { return fire.canBeContradicted }
        return event.ticket != nil && fire.ticket == event.ticket
    }
}

extension Fire {
    /// Notes what is told of it; returns who told what, as a timeline says it.
    ///
    /// - Parameter closing: the end of its position, where that is all that was heard: no answer, and late by nothing.
    mutating func note(_ event: TradeEvent, _ state: FireState, provenBy closing: TradeEvent?) -> String {
        guard let closing else {
            noteAnswer(event)
            return "\(event.teller): \(state.rawValue)"
        }
        let word = "\(closing.teller): ticket \(closing.ticket.map { String($0) } ?? "?") closed"
        note("proven by close", nil, at: closing.receivedAt, by: closing.teller)
        noteDurable(closing)
        return word
    }

    /// The terminal's answer reached us. A witness is none: it tells afterwards what became of it.
    private mutating func noteAnswer(_ event: TradeEvent) {
        if !event.isFromWitness {
            note("answer", .answered, at: event.receivedAt, by: event.teller)
            isLate = event.receivedAt > expiresAt
        }
        noteDurable(event)
    }

    private mutating func noteDurable(_ event: TradeEvent) {
        if let durableAt = event.durableAt {
            note("durable", .durable, at: durableAt, by: "journal \(event.sequence)")
        }
    }
}
