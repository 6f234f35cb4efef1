import ServiceKit

/// Record, then send: publications and replies leave in order, each when Redis has answered for it.
///
/// Redis may take its time, the market does not: after `patience` a publication leaves unrecorded and says so.
final class Outbox {
    typealias Delivery = (_ isRecorded: Bool) -> Void

    private struct Entry {
        let deadline: Int64
        var outcome: Bool?
        let deliver: Delivery
    }

    static let patience: Int64 = 500
    /// By the order they were added; the first is the oldest undelivered.
    private var entries: [Int: Entry] = [:]
    private var first = 0
    private var next = 0
    private var isDelivering = false

    var waiting: Int { entries.count }

    /// Records by the first closure (nil: nothing to record) and delivers in the order of the calls.
    func add(recording record: ((@escaping (Bool) -> Void) -> Void)?, _ deliver: @escaping Delivery) {
        let place = next
        next += 1
        let deadline = SystemClock.monotonicMilliseconds() + Outbox.patience
        entries[place] = Entry(deadline: deadline, outcome: record == nil ? true : nil, deliver: deliver)
        record? { [weak self] isRecorded in self?.settle(place, isRecorded) }
        pump()
    }

    private func settle(_ place: Int, _ isRecorded: Bool) {
        // One that was given up before is gone.
        guard let entry = entries[place], entry.outcome == nil else { return }
        entries[place]?.outcome = isRecorded
        pump()
    }

    /// Gives up waiting for what is overdue.
    func expire() {
        let now = SystemClock.monotonicMilliseconds()
        while let entry = entries[first], entry.deadline <= now, entry.outcome == nil { settle(first, false) }
    }

    /// A delivery may add to the outbox: only the outermost call delivers, so that the order holds.
    private func pump() {
        guard !isDelivering else { return }
        isDelivering = true
        defer { isDelivering = false }
        while let entry = entries[first], let outcome = entry.outcome {
            entries[first] = nil
            first += 1
            entry.deliver(outcome)
        }
    }
}
