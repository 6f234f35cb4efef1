import Domain
import Trading

// What takes a slot or an id: asked for, answered, and no longer wanted when the answer is lost.

extension TrackerStore {
    /// Takes a slot and writes the row if the id is new and a slot is free.
    ///
    /// `unavailable`: whether the slot is taken is not known until Redis is back; it won't be taken after that.
    func reserve(_ fire: Fire, slotsMaximum: Int, _ done: @escaping (ReservationResult) -> Void) {
        let slots = "slots:\(fire.userUUID)"
        let step = LedgerStep(
            .reserve(row: fire.key, slots: slots, maximum: slotsMaximum),
            [
                // A denied row of this id is replaced, whatever fields it had.
                ["DEL", fire.key], TrackerStore.endless(fire.key), ["HSET", slots, fire.fireID, "reserved"],
                ["HSET", fire.key] + fire.row,
                ["SADD", "open_fires", fire.fireID],
                ["ZADD", "fires", String(fire.createdAt.milliseconds), fire.fireID],
            ])
        put(LedgerRecord(.revocable, [step])) { outcome in
            switch outcome {
            case .done(let answer): done(.reserved(slotsUsed: answer.slotsUsed))
            case .refused(let reason):
                let (word, rest) = TrackerStore.parts(reason)
                done(word == "duplicate" ? .duplicate(state: rest) : .noSlot(slotsUsed: Int(rest) ?? 0))
            case .unknown: done(.unavailable)
            }
        }
    }

    /// Whether a request for many users is the first of its id. Asked again with the same claim it is so again; nil
    /// where Redis did not answer.
    func claimBatch(_ fireID: String, claim: String, _ done: @escaping (Bool?) -> Void) {
        let key = "fire_batch:\(fireID)"
        let step = LedgerStep(
            .claim(key: key, by: claim), [["SET", key, claim, "EXAT", TrackerStore.expiry(TrackerStore.keepSeconds)]])
        put(LedgerRecord(.revocable, [step])) { outcome in
            switch outcome {
            case .done: done(true)
            case .refused: done(false)
            case .unknown: done(nil)
            }
        }
    }

    /// Writes a position that came by no fire, if it is not open yet and a slot is free. An answer that is lost comes
    /// later: the write stays in line.
    func openIfAbsent(_ position: Position, slotsMaximum: Int, _ done: @escaping (OpenResult) -> Void) {
        guard isAvailable else { return done(.unavailable) }
        let condition = Condition.open(
            row: position.redisKey, slots: "slots:\(position.userUUID)", maximum: slotsMaximum)
        put(LedgerRecord(.write, [LedgerStep(condition, openCommands(position))])) { outcome in
            switch outcome {
            case .done(let answer): done(.opened(slotsUsed: answer.slotsUsed))
            case .refused(let reason):
                let (word, rest) = TrackerStore.parts(reason)
                done(word == "exists" ? .exists : .noSlot(slotsUsed: Int(rest) ?? 0))
            case .unknown: done(.unavailable)
            }
        }
    }

    private static func parts(_ reason: String) -> (String, String) {
        let words = reason.split(separator: " ", maxSplits: 1).map(String.init)
        return (words.first ?? "", words.count > 1 ? words[1] : "")
    }
}
