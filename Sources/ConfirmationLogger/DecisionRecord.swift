import Domain
import Trading
import Wire

/// What a frame was understood as, as the journal keeps it: `{"of":<sequence>,"events":[{…}]}`.
///
/// It is durable before anything of it is booked. A replay books it again as it stands, with the same ids and sums,
/// also on a Redis that lost everything the frame was joined with.
struct DecisionRecord {
    /// The sequence of the frame it is about.
    let frame: UInt64
    let events: [TradeEvent]

    init(frame: UInt64, events: [TradeEvent]) {
        self.frame = frame
        self.events = events
    }

    var bytes: [UInt8] {
        JSONObject(dictionaryLiteral: ("of", .integer(frame)), ("events", .array(events.map(DecisionRecord.object))))
            .bytes
    }

    private static func object(_ event: TradeEvent) -> JSON {
        var object = JSONObject()
        for field in event.fields { object.append(field.name, .string(field.value)) }
        return .object(object)
    }

    /// Nil where the bytes are no decision; a record of the journal that was checked always is one.
    init?(_ bytes: [UInt8]) {
        guard let object = try? JSON(bytes).object, let frame = object["of"]?.text.flatMap({ UInt64($0) }),
            let rows = object["events"]?.array
        else { return nil }
        var events: [TradeEvent] = []
        for row in rows {
            var fields: [String: String] = [:]
            for field in row.object?.fields ?? [] { fields[field.name] = field.value.text }
            guard let event = TradeEvent(fields: fields) else { return nil }
            events.append(event)
        }
        self.init(frame: frame, events: events)
    }
}
