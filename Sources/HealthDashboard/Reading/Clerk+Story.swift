import Domain
import Redis
import ServiceKit

extension Clerk {
    /// The row first, then everything it points to in one pipeline.
    func explain(_ identifier: String, _ entry: Open) {
        fetch([["HGETALL", "fire:\(identifier)"]], entry) { [unowned self] replies in
            let fire = replies[0].dictionary ?? [:]
            guard !fire.isEmpty else { return entry.answer(.missing("no fire '\(identifier)' is known")) }
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
