/// A moment in UTC, milliseconds since 1970. Engines get it as an argument; only the loop reads a clock.
public struct Timestamp: Sendable, Hashable, Comparable {
    public let milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }
    /// Saturates: a number from outside must not be able to trap.
    public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        milliseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }
    public static func - (left: Timestamp, right: Timestamp) -> Int64 {
        let (difference, overflow) = left.milliseconds.subtractingReportingOverflow(right.milliseconds)
        return overflow ? (right.milliseconds < 0 ? .max : .min) : difference
    }
    public func adding(milliseconds more: Int64) -> Timestamp {
        let (sum, overflow) = milliseconds.addingReportingOverflow(more)
        return Timestamp(milliseconds: overflow ? (more < 0 ? .min : .max) : sum)
    }
    public var seconds: Int64 { milliseconds / 1000 }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with milliseconds: `2025-09-15T16:39:23.000Z`.
    public var description: String {
        let (days, rest) = Timestamp.floorDivide(milliseconds, 86_400_000)
        let date = CivilDate(daysSince1970: days)
        let hour = rest / 3_600_000
        let minute = rest / 60_000 % 60
        let second = rest / 1000 % 60
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let thousandths = String(1000 + rest % 1000).dropFirst()
        return
            "\(date.year)-\(two(date.month))-\(two(date.day))T\(two(hour)):\(two(minute)):\(two(second)).\(thousandths)Z"
    }

    /// Reads RFC 3339 (`2025-09-15T16:39:23.5Z`, `…+00:00`); nil for anything else.
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[10] == 0x54 || bytes[10] == 0x74 || bytes[10] == 0x20 else { return nil }
        guard let base = Timestamp.civil(bytes, separators: (0x2D, 0x3A)) else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if bytes[index] == 0x2E {
            index += 1
            var scale: Int64 = 100
            while index < bytes.count, (0x30...0x39).contains(bytes[index]) {
                fraction += Int64(bytes[index] - 0x30) * scale
                scale /= 10
                index += 1
            }
            guard index > 20 else { return nil }
        }
        guard index < bytes.count else { return nil }
        var offset: Int64 = 0
        if bytes[index] == 0x5A || bytes[index] == 0x7A {
            guard index + 1 == bytes.count else { return nil }
        } else {
            guard index + 6 == bytes.count, bytes[index] == 0x2B || bytes[index] == 0x2D, bytes[index + 3] == 0x3A,
                let hours = Timestamp.number(bytes, index + 1, 2), hours < 24,
                let minutes = Timestamp.number(bytes, index + 4, 2), minutes < 60
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (bytes[index] == 0x2B ? 1 : -1)
        }
        self.init(milliseconds: (base - offset) * 1000 + fraction)
    }

    /// Reads a terminal's `YYYY.MM.DD HH:MM:SS` as seconds of the *broker's* clock, which carries no zone.
    ///
    /// Source: ea-wire 1.2; the offset to UTC is learned, see ``BrokerClock``.
    public static func brokerSeconds(_ text: String) -> Int64? {
        var copy = text
        return copy.withUTF8 { brokerSeconds($0) }
    }

    public static func brokerSeconds(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard bytes.count == 19, bytes[10] == 0x20 else { return nil }
        return civil(bytes, separators: (0x2E, 0x3A))
    }

    private static func civil(_ bytes: some RandomAccessCollection<UInt8>, separators: (UInt8, UInt8)) -> Int64? {
        let start = bytes.startIndex
        func at(_ offset: Int) -> UInt8 { bytes[bytes.index(start, offsetBy: offset)] }
        guard at(4) == separators.0, at(7) == separators.0, at(13) == separators.1, at(16) == separators.1,
            let year = number(bytes, 0, 4), let month = number(bytes, 5, 2), let day = number(bytes, 8, 2),
            let hour = number(bytes, 11, 2), let minute = number(bytes, 14, 2), let second = number(bytes, 17, 2),
            year >= 1970, (1...12).contains(month), hour < 24, minute < 60, second < 61
        else { return nil }
        guard day >= 1, day <= CivilDate.days(inMonth: month, of: year) else { return nil }
        return CivilDate(year: year, month: month, day: day).daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static func number(_ bytes: some RandomAccessCollection<UInt8>, _ offset: Int, _ count: Int) -> Int64? {
        var value: Int64 = 0
        for position in offset..<(offset + count) {
            let byte = bytes[bytes.index(bytes.startIndex, offsetBy: position)]
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int64(byte - 0x30)
        }
        return value
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// The terminal's spelling of a broker clock reading: `2025.09.15 19:39:23`.
    public static func brokerText(seconds: Int64) -> String {
        let text = Timestamp(seconds: seconds).description
        let date = text.prefix(10).map { $0 == "-" ? "." : $0 }
        return String(date) + " " + text.dropFirst(11).prefix(8)
    }
}

/// A day of the proleptic Gregorian calendar. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
struct CivilDate {
    let year: Int64
    let month: Int64
    let day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(daysSince1970 days: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    var daysSince1970: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
