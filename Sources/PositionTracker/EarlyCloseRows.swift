import Domain
import Trading
import Wire

extension EarlyClose {
    /// A value of the hash `early_closes`; its field is the position's name.
    var text: String {
        let object: JSONObject = [
            "server": .string(key.server), "account": .string(key.account), "ticket": .integer(key.ticket),
            "closed_at": .integer(closedAt.milliseconds), "lot": .string(lot.description), "final": .bool(isFinal),
            "close_price": .text(price), "profit": .text(profit), "profit_source": .text(profitSource),
            "close_reason": .text(reason), "source": .text(source), "event_id": .string(eventID),
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
            lot: object["lot"]?.text.flatMap { Amount($0) } ?? .zero, isFinal: object["final"]?.bool == true)
        price = object["close_price"]?.text
        profit = object["profit"]?.text
        profitSource = object["profit_source"]?.text
        reason = object["close_reason"]?.text
        source = object["source"]?.text
        eventID = object["event_id"]?.text ?? ""
    }
}

extension PositionTrackerService {
    static let earlyClosesKey = "early_closes"

    func restoreEarlyCloses(_ rows: [String: String]) {
        for text in rows.values { if let close = EarlyClose(text: text) { engine.restore(early: close) } }
    }
}
