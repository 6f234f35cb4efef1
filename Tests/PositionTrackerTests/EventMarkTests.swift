import Testing

@testable import PositionTracker

@Suite("events once")
struct EventMarkTests {
    private func place(_ sequence: UInt64, _ event: String, entry: String = "1-0", journal: String = "j") -> EventPlace
    {
        EventPlace(journal: journal, sequence: sequence, eventID: event, entry: entry)
    }

    private func take(_ place: EventPlace, _ mark: inout EventMark) -> Bool { mark.take(place) }

    @Test("an event is taken once, whichever entry brings it")
    func once() {
        var mark = EventMark()
        #expect(take(place(5, "a"), &mark))
        #expect(!take(place(5, "a", entry: "2-0"), &mark))
        #expect(take(place(5, "b"), &mark))
        #expect(!take(place(4, "c"), &mark))
        #expect(take(place(9, "a"), &mark), "a correction has the event's id and a sequence of its own")
        #expect(!take(place(5, "b"), &mark))
    }

    @Test("another journal of confirmations begins anew")
    func anotherJournal() {
        var mark = EventMark()
        #expect(take(place(50, "a"), &mark))
        #expect(take(place(1, "a", journal: "k"), &mark))
        #expect(!take(place(1, "a", journal: "k"), &mark))
    }

    @Test("it is read back as it was written")
    func roundTrip() {
        var mark = EventMark()
        for event in ["u|1|2|opened", "u|1|2|closed|0.1"] { #expect(take(place(7, event), &mark)) }
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: mark.fields.count, by: 2) {
            fields[mark.fields[index]] = mark.fields[index + 1]
        }
        var read = EventMark(fields)
        mark.underWay = [:]
        #expect(read == mark)
        #expect(!take(place(7, "u|1|2|opened"), &read))
        #expect(take(place(8, "u|1|2|opened"), &read))
    }
}
