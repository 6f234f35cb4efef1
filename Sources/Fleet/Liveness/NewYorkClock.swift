public import Domain

/// New York's wall clock, by which foreign exchange keeps its week: Sunday 17:00 to Friday 17:00, summer and winter.
///
/// Pure arithmetic, no zone database: second Sunday of March to first Sunday of November, 02:00 local time.
/// Source: Energy Policy Act of 2005 (Public Law 109-58), section 110.
public enum NewYorkClock {
    /// Minutes to add to UTC: -300 in winter, -240 in summer.
    public static func offsetMinutes(at time: Timestamp) -> Int64 {
        let day = floorDivide(time.milliseconds, 86_400_000)
        let year = year(ofDay: day)
        // 02:00 local is 07:00 UTC while it is winter, 06:00 UTC while it is summer.
        let begin = sunday(2, ofMonth: 3, year) * 86_400_000 + 7 * 3_600_000
        let end = sunday(1, ofMonth: 11, year) * 86_400_000 + 6 * 3_600_000
        return (begin..<end).contains(time.milliseconds) ? -240 : -300
    }

    /// Minutes of New York's clock since its 1970 began, in a count that never repeats within an hour-long slot.
    static func localMinutes(at time: Timestamp) -> Int64 {
        floorDivide(time.milliseconds, 60_000) + offsetMinutes(at: time)
    }

    /// 0 (Sunday 00:00) to 10,079 (Saturday 23:59).
    public static func minuteOfWeek(at time: Timestamp) -> Int {
        // 1970-01-01 was a Thursday.
        let minutes = localMinutes(at: time) + 4 * 1_440
        return Int(minutes - floorDivide(minutes, 10_080) * 10_080)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    /// The day (since 1970) of the n-th Sunday of a month.
    private static func sunday(_ count: Int64, ofMonth month: Int64, _ year: Int64) -> Int64 {
        let first = days(year, month)
        let weekday = first + 4 - floorDivide(first + 4, 7) * 7
        return first + (7 - weekday) % 7 + (count - 1) * 7
    }

    /// The first of a month as days since 1970. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
    private static func days(_ year: Int64, _ month: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func year(ofDay day: Int64) -> Int64 {
        var year = 1970 + floorDivide(day * 400, 146_097)
        while days(year + 1, 1) <= day { year += 1 }
        while days(year, 1) > day { year -= 1 }
        return year
    }
}

/// What is known of a market's week before its terminals have shown it.
public enum MarketCalendar: String, Sendable, CaseIterable {
    /// Sunday 17:00 to Friday 17:00 in New York.
    case forex
    /// All week: crypto.
    case always

    public func isOpen(at time: Timestamp) -> Bool {
        guard self == .forex else { return true }
        let minute = NewYorkClock.minuteOfWeek(at: time)
        return (1_020..<(5 * 1_440 + 1_020)).contains(minute)
    }
}
