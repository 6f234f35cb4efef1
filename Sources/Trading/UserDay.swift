public import Domain

/// What a user realised in one UTC day, by account currency. Read back from `user_day:<uuid>` at a start.
public struct UserDay: Sendable, Equatable {
    /// What was booked for an inferred closing: a correction books the difference.
    struct Booking: Sendable, Equatable {
        let currency: String
        let amount: Amount
    }

    public let userUUID: String
    /// `2026-11-21`, UTC.
    public let date: String
    public internal(set) var realised: [String: Amount] = [:]
    var inferred: [String: Booking] = [:]

    public init(userUUID: String, date: String) {
        self.userUUID = userUUID
        self.date = date
    }

    /// The day a moment lies in.
    public static func date(of time: Timestamp) -> String { String("\(time)".prefix(10)) }

    private static let realisedPrefix = "realised."
    private static let inferredPrefix = "inferred."

    /// All fields as Redis keeps them: sums are integers of 10^-8.
    public var row: [(name: String, value: String)] {
        var fields = [("user_uuid", userUUID), ("date", date)]
        for (currency, amount) in realised { fields.append(UserDay.realisedField(currency, amount)) }
        for (eventID, booking) in inferred { fields.append(UserDay.inferredField(eventID, booking)) }
        return fields.map { (name: $0.0, value: $0.1) }
    }

    static func realisedField(_ currency: String, _ amount: Amount) -> (String, String) {
        (realisedPrefix + currency, String(amount.units))
    }

    static func inferredField(_ eventID: String, _ booking: Booking) -> (String, String) {
        (inferredPrefix + eventID, "\(booking.amount.units)|\(booking.currency)")
    }

    /// Reads what ``row`` wrote.
    public init?(row: [String: String]) {
        guard let user = row["user_uuid"], let date = row["date"] else { return nil }
        self.init(userUUID: user, date: date)
        for (name, text) in row {
            if name.hasPrefix(UserDay.realisedPrefix), let units = Int64(text) {
                realised[String(name.dropFirst(UserDay.realisedPrefix.count))] = Amount(units: units)
            } else if name.hasPrefix(UserDay.inferredPrefix) {
                let parts = text.split(separator: "|", maxSplits: 1).map(String.init)
                guard parts.count == 2, let units = Int64(parts[0]) else { continue }
                inferred[String(name.dropFirst(UserDay.inferredPrefix.count))] = Booking(
                    currency: parts[1], amount: Amount(units: units))
            }
        }
    }
}

/// What one event changes of a user's day, to be written with the event's effect. Values are absolute: writing it
/// twice is writing it once.
public struct DayBooking: Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        public let name: String
        public let value: String
    }

    public let userUUID: String
    public let date: String
    /// Whether the day before is over: what the row had is to be forgotten first.
    public internal(set) var startsDay: Bool
    public let fields: [Field]

    func followed(by next: DayBooking) -> DayBooking {
        guard !next.startsDay else { return next }
        let names = Set(next.fields.map(\.name))
        return DayBooking(
            userUUID: userUUID, date: next.date, startsDay: startsDay,
            fields: fields.filter { !names.contains($0.name) } + next.fields)
    }
}

extension PositionTrackerEngine {
    /// Books what a closing realised into its user's day; nil where that changes nothing. What nobody knows counts as
    /// the loss at the stop: a cap must not be passed because a profit is unknown.
    mutating func book(_ event: TradeEvent) -> DayBooking? {
        let amount = event.netProfit ?? event.profit.flatMap { Amount($0) } ?? -worstCase(event)
        let currency = event.currency ?? terminals[event.userUUID]?.currency ?? "USD"
        return book(
            amount, currency, user: event.userUUID, at: event.receivedAt, eventID: event.eventID,
            isInferred: event.isRevocable, isCorrection: event.isCorrection)
    }

    private func worstCase(_ event: TradeEvent) -> Amount {
        guard let position = event.positionKey.flatMap({ positions[$0] }), let risk = position.risk else {
            return .zero
        }
        guard !isEnd(event, of: position), let closed = event.lot.flatMap({ Amount($0) }) else { return risk }
        return (risk * min(closed, position.lot)).divided(by: position.lot) ?? risk
    }

    mutating func book(
        _ amount: Amount, _ currency: String, user: String, at time: Timestamp, eventID: String,
        isInferred: Bool, isCorrection: Bool
    ) -> DayBooking? {
        let date = UserDay.date(of: time)
        let known = days[user]
        // An old event that was read again belongs to a day that is over; a correction belongs to its first booking's.
        if let known, known.date > date { return nil }
        let booked = known?.date == date || isCorrection ? known?.inferred[eventID] : nil
        // Told twice; or a correction of what is not of this day.
        guard isCorrection ? booked != nil : !isInferred || booked == nil else { return nil }
        let startsDay = known?.date != date && !isCorrection
        var day = startsDay ? UserDay(userUUID: user, date: date) : known ?? UserDay(userUUID: user, date: date)
        var difference = amount
        if let booked {
            // Another currency for the same closing: the first booking is taken back where it was made.
            if booked.currency == currency {
                difference = amount - booked.amount
            } else {
                day.realised[booked.currency] = (day.realised[booked.currency] ?? .zero) - booked.amount
            }
        }
        guard !difference.isZero || isInferred || booked != nil else { return nil }
        day.realised[currency, default: .zero] += difference
        if isInferred || booked != nil {
            day.inferred[eventID] = UserDay.Booking(currency: currency, amount: amount)
        }
        days[user] = day
        var fields = [("user_uuid", user), ("date", day.date)]
        for (currency, sum) in day.realised { fields.append(UserDay.realisedField(currency, sum)) }
        if let booking = day.inferred[eventID] { fields.append(UserDay.inferredField(eventID, booking)) }
        return DayBooking(
            userUUID: user, date: day.date, startsDay: startsDay,
            fields: fields.sorted { $0.0 < $1.0 }.map { DayBooking.Field(name: $0.0, value: $0.1) })
    }

    public mutating func restore(day: UserDay) { days[day.userUUID] = day }
}
