import ServiceKit
import Trading

/// Up to which event of the journal of confirmations effects were decided.
struct EventMark: Equatable {
    private(set) var journal = ""
    private(set) var sequence: UInt64 = 0
    /// Events of that very sequence: one message may close many positions.
    private(set) var eventIDs: Set<String> = []
    /// Effects on their way to Redis, by the entry that brought the event.
    var underWay: [String: EventPlace] = [:]

    init() {}

    /// As `ledger:state` keeps it.
    init(_ fields: [String: String]) {
        journal = fields["event_journal"] ?? ""
        sequence = fields["event_seq"].flatMap { UInt64($0) } ?? 0
        eventIDs = Set((fields["event_ids"] ?? "").split(separator: "\n").map(String.init))
    }

    /// Takes an event in, if it is behind all that were; a stream that was rebuilt brings old ones under new entries.
    mutating func take(_ place: EventPlace) -> Bool {
        if place.journal == journal, sequence > 0 {
            if place.sequence < sequence { return false }
            if place.sequence == sequence, eventIDs.contains(place.eventID) { return false }
        }
        if place.journal != journal || place.sequence != sequence { eventIDs = [] }
        journal = place.journal
        sequence = place.sequence
        eventIDs.insert(place.eventID)
        underWay[place.entry] = place
        return true
    }

    /// The fields of `ledger:state`.
    var fields: [String] {
        [
            "event_journal", journal, "event_seq", String(sequence), "event_ids",
            "\n" + eventIDs.sorted().map { $0 + "\n" }.joined(),
        ]
    }
}

// Events and their acknowledgement.

extension TrackerStore {
    /// Whether an event is new; then its effect has to follow by ``apply(_:)`` with the same entry.
    func begin(_ place: EventPlace) -> Bool { events.take(place) }

    /// What was booked before this process, from `ledger:state`.
    func restoreEvents(_ fields: [String: String]) { events = EventMark(fields) }

    /// Acknowledges entries that have no effect (any more). Those before them come first: what is acknowledged is not
    /// given again after a crash.
    func acknowledge(_ entries: [String]) {
        acknowledgements += entries
        if line.isEmpty { sendAcknowledgements() }
    }

    func sendAcknowledgements() {
        guard phase == .open, !acknowledgements.isEmpty else { return }
        let entries = acknowledgements
        acknowledgements = []
        // Entries whose acknowledgement is lost are given again at the next connection.
        link.send(["XACK", TrackerStore.streamName, TrackerStore.groupName] + entries)
    }

    /// What a booked event changed and its acknowledgement, in one step.
    func apply(_ effect: EventEffect) {
        var steps: [LedgerStep] = []
        if let fire = effect.fire {
            steps.append(moveStep(fire, releasesSlot: effect.releasesSlot, contradicts: effect.contradicts))
        }
        for position in effect.opened { steps.append(LedgerStep(.always, openCommands(position))) }
        for position in effect.closed { steps.append(LedgerStep(.always, closeCommands(position))) }
        for position in effect.reduced {
            steps.append(LedgerStep(.exists(key: position.redisKey), [["HSET", position.redisKey] + position.row]))
        }
        for correction in effect.corrected {
            let key = "position:\(correction.key)"
            var fields = correction.fields.flatMap { [$0.name, $0.value] }
            if let closing = correction.closing { fields += [closing.field, closing.text] }
            guard !fields.isEmpty else { continue }
            let sums = correction.closing != nil && correction.isClosed ? [[TrackerScripts.sumCommand, key]] : []
            let keep = correction.isClosed ? [[TrackerScripts.keepCommand, key, ""]] : []
            steps.append(LedgerStep(.exists(key: key), [["HSET", key] + fields] + sums + keep))
        }
        if let day = effect.day { steps.append(LedgerStep(.always, dayCommands(day))) }
        guard let place = events.underWay.removeValue(forKey: effect.entryID) else {
            // Nothing says which event this is: its entry alone keeps it from being applied twice.
            acknowledgements.append(effect.entryID)
            return put(LedgerRecord(.write, steps))
        }
        put(LedgerRecord(.write, steps, event: place))
    }
}
