import Domain
import Redis
import ServiceKit

extension Clerk {
    /// The row first, then everything it points to in one pipeline.
    func explain(_ identifier: String, _ entry: Open) {
        fetch([["HGETALL", "fire:\(identifier)"]], entry) { [unowned self] replies in
            let fire = replies[0].dictionary ?? [:]
            guard !fire.isEmpty else { return explainMissing(identifier, entry) }
            fetch(Clerk.neighbours(of: fire, identifier), entry) { [board, instruments] replies in
                var sources = Explanation.Sources(fire: fire)
                sources.signal = replies[0].dictionary ?? [:]
                sources.position = replies[1].dictionary ?? [:]
                sources.answer = replies[2].dictionary ?? [:]
                sources.user = replies[3].dictionary ?? [:]
                sources.slot = replies[4].text
                let symbol = fire["canonical_symbol"] ?? fire["symbol"] ?? ""
                let questions = board.snapshot.openQuestions.filter {
                    Schema.questions.value("fire_id", of: $0) == identifier
                }
                let story = Explanation(
                    sources, instrument: instruments.instrument(for: symbol), questions: questions,
                    now: SystemClock.now())
                entry.answer(.found(story.document))
            }
        }
    }

    /// Why there is no such story, and which one may be meant: a request to many is one fire for each of them.
    private func explainMissing(_ identifier: String, _ entry: Open) {
        let questions = [["EXISTS", "fire_batch:\(identifier)"], ["EXISTS", "fire:\(identifier).1"]]
        fetch(questions, entry) { replies in
            entry.answer(.missing(Clerk.missing(identifier, isBatch: replies.contains { $0.integer == 1 })))
        }
    }

    static func missing(_ identifier: String, isBatch: Bool) -> String {
        let head = "no fire '\(identifier)' is known"
        if isBatch {
            return "'\(identifier)' was fired at many: each has a story of his own, '\(identifier).1' and so on; "
                + "'/fires?q=\(identifier)' lists them"
        }
        if Int64(identifier) != nil {
            return "\(head); if it is a ticket, '/positions?q=\(identifier)' names the fire that opened it"
        }
        return "\(head); stories are kept for 90 days after their end"
    }

    /// Signal, position, booked answer, user, slot. Keys: docs/contract.md, section 4; event ids: `EventIdentity`.
    static func neighbours(of fire: [String: String], _ identifier: String) -> [[String]] {
        let user = fire["user_uuid"] ?? ""
        let account = fire["account"] ?? ""
        let owner = KeyPart.encode(user)
        let ticket = fire["ticket"].flatMap { Int64($0) }
        let position = PositionKey(server: fire["server"] ?? "", account: account, ticket: ticket ?? 0)
        let event =
            ticket.map { "\(owner)|\(KeyPart.encode(account))|\($0)|opened" }
            ?? "\(owner)|\(KeyPart.encode(identifier))"
        return [
            ["HGETALL", "signal:\(fire["signal_id"] ?? "")"], ["HGETALL", "position:\(position)"],
            ["HGETALL", "trade:\(event)"], ["HGETALL", "user:\(user)"], ["HGET", "slots:\(user)", identifier],
        ]
    }
}
