import Glibc
import ServiceKit

/// A condition that did not come true in time: what was waited for, where, and what was seen last.
public struct ConditionNotMet: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) { self.description = description }
}

/// Looks again and again until what it sees satisfies the condition; the only way tests wait.
///
/// An error while looking counts as "not yet" and is told if it was the last thing seen.
///
/// - Parameters:
///   - what: what is waited for, for the failure's text.
///   - seconds: how long at most.
/// - Returns: the first observation that satisfied the condition.
/// - Throws: ``ConditionNotMet`` with the last observation.
@discardableResult
public func eventually<Value>(
    _ what: String, within seconds: Double = 5, file: StaticString = #fileID, line: UInt = #line,
    _ observe: () throws -> Value, until isMet: (Value) -> Bool
) throws -> Value {
    let deadline = SystemClock.monotonicMilliseconds() + Int64(seconds * 1000)
    while true {
        let seen: String
        do {
            let value = try observe()
            if isMet(value) { return value }
            seen = "\(value)"
        } catch {
            seen = "error: \(error)"
        }
        if SystemClock.monotonicMilliseconds() >= deadline {
            let text = "\(file):\(line): not within \(seconds) s: \(what); last seen: \(seen.prefix(2000))"
            throw ConditionNotMet(description: text)
        }
        _ = Glibc.poll(nil, 0, 5)
    }
}

/// Waits for a condition that has nothing more to show than whether it holds.
public func eventually(
    _ what: String, within seconds: Double = 5, file: StaticString = #fileID, line: UInt = #line,
    _ condition: () throws -> Bool
) throws {
    try eventually(what, within: seconds, file: file, line: line, condition, until: { $0 })
}

/// Waits for a value to be there.
public func eventuallyValue<Value>(
    _ what: String, within seconds: Double = 5, file: StaticString = #fileID, line: UInt = #line,
    _ observe: () throws -> Value?
) throws -> Value {
    let found = try eventually(what, within: seconds, file: file, line: line, observe, until: { $0 != nil })
    guard let found else { throw ConditionNotMet(description: "\(file):\(line): \(what)") }
    return found
}
