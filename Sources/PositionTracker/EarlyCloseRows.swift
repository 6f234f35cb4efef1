import Domain
import Trading
import Wire

extension EarlyClose {
    /// A value of the hash `early_closes`; its field is the position's name.
    var text: String {
        let object: JSONObject = [
            "server": .string(key.server), "account": .string(key.account), "ticket": .integer(key.ticket),
            "closed_at": .integer(closedAt.milliseconds), "final": .bool(isFinal),
            "closings": .array(
                closings.list.map { .array([.string($0.field), .string($0.text), .string($0.eventID)]) }),
            "close_price": .text(price), "close_reason": .text(reason), "source": .text(source),
        ]
        return JSON.object(object).compactText
    }

    init?(text: String) {
        guard let object = (try? JSON(text))?.object, let server = object["server"]?.text,
            let account = object["account"]?.text, let ticket = object["ticket"]?.text.flatMap({ Int64($0) }),
            let closedAt = Timestamp(row: object["closed_at"]?.text)
        else { return nil }
        self.init(
            key: PositionKey(server: server, account: account, ticket: ticket), closedAt: closedAt,
            isFinal: object["final"]?.bool == true)
        closings = Closings(
            (object["closings"]?.array ?? []).compactMap { pair in
                guard let parts = pair.array, parts.count == 3, let field = parts[0].text, let text = parts[1].text
                else { return nil }
                var closing = Closing(field: field, text: text)
                closing?.eventID = parts[2].text ?? ""
                return closing
            })
        price = object["close_price"]?.text
        reason = object["close_reason"]?.text
        source = object["source"]?.text
    }
}

extension PositionTrackerService {
    static let earlyClosesKey = "early_closes"

    func restoreEarlyCloses(_ rows: [String: String]) {
        for text in rows.values { if let close = EarlyClose(text: text) { engine.restore(early: close) } }
    }
}
