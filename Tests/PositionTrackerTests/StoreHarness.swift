import Domain
import Foundation
import Journal
import Logging
import Redis
import ServiceKit
import TestKit

@testable import PositionTracker
@testable import Trading

/// A store on a loop that the test drives, with a redis-server and a journal of its own.
final class StoreHarness {
    let redis: RedisServer
    let directory: String
    private(set) var reactor = Reactor()
    private(set) var report = ServiceReport(service: .positionTracker, now: SystemClock.now())
    private var current: TrackerStore?

    private let options: JournalWriter.Options

    init(
        _ redis: RedisServer, directory: String, options: JournalWriter.Options = JournalWriter.Options()
    ) throws {
        self.options = options
        self.redis = redis
        self.directory = directory
        try begin()
    }

    var store: TrackerStore {
        get throws {
            guard let current else { throw ConditionNotMet(description: "the store was ended") }
            return current
        }
    }

    /// The tracker's start.
    func begin() throws {
        reactor = Reactor()
        reactor.every(milliseconds: 2) {}
        report = ServiceReport(service: .positionTracker, now: SystemClock.now())
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let address = redis.address
        let reactor = reactor
        let (directory, report, options) = (directory, report, options)
        // A process that another test starts at this moment has the old lock for as long as it takes to begin.
        let store = try eventuallyValue("the journal can be opened") {
            try TrackerStore(directory: directory, report: report, log: log, reactor: reactor, options: options) {
                scripts in
                RedisLink(address: address, scripts: scripts, allowUnsafe: false, reactor: reactor, log: log)
            }
        }
        store.onOpen = { [unowned store] in store.release(snapshot: []) }
        current = store
    }

    /// The tracker's end, whatever Redis has not got by then.
    func end() throws {
        try store.journal.close()
        current = nil
        reactor = Reactor()
    }

    func run(_ what: String, within seconds: Double = 10, until condition: () throws -> Bool) throws {
        var failure: (any Error)?
        let isMet = try reactor.run(
            until: {
                do { return try condition() } catch { failure = error }
                return true
            }, milliseconds: Int64(seconds * 1000))
        if let failure { throw failure }
        guard isMet else {
            throw ConditionNotMet(description: "not within \(seconds) s: \(what); \(report.problems)")
        }
    }

    /// Everything is confirmed.
    func settle(within seconds: Double = 20) throws {
        let store = try store
        try run("all writes are confirmed", within: seconds) {
            store.phase == .open && store.link.isReady && store.waiting == 0
        }
    }

    /// Empties Redis and waits until the store has noticed and made it whole again.
    func emptyAndRebuild() throws {
        let before = report.counters["rebuilds"] ?? 0
        try redis.call("FLUSHALL")
        let store = try store
        try run("the ledger is rebuilt") { (report.counters["rebuilds"] ?? 0) > before && store.phase == .open }
        try settle()
    }

    /// Every key but the store's own marks, in text that can be compared.
    func everything() throws -> [String: String] {
        let own: Set<String> = ["ledger:state", "ledger:refused", "events:trades"]
        return try redis.copy { !own.contains($0) }
    }
}
