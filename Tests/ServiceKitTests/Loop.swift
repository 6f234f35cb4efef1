import Domain
import Logging
import ServiceKit
import TestKit

/// A reactor that a test drives itself, with a beat so that conditions are looked at.
struct Loop {
    let reactor = Reactor()
    let report = ServiceReport(service: .positionTracker, now: SystemClock.now())
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() { reactor.every(milliseconds: 2) {} }

    /// Runs the loop until the condition holds.
    func run(_ what: String, within seconds: Double = 5, until condition: () -> Bool) throws {
        guard try reactor.run(until: condition, milliseconds: Int64(seconds * 1000)) else {
            throw ConditionNotMet(description: "not within \(seconds) s: \(what)")
        }
    }

    /// Runs the loop for a while, for what must not happen.
    func run(milliseconds: Int64) throws {
        let end = SystemClock.monotonicMilliseconds() + milliseconds
        _ = try reactor.run(until: { SystemClock.monotonicMilliseconds() >= end }, milliseconds: milliseconds + 1000)
    }
}

/// A place for what closures saw.
final class Box<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}
