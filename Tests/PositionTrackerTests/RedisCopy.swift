import Domain
import Redis
import ServiceKit
import TestKit

@testable import PositionTracker

extension RedisServer {
    /// What quotes change from second to second.
    private static let figures: Set<String> = ["current_price", "current_pnl", "max_profit", "max_loss"]

    /// All keys of a kind with their values and how long they have, but figures of quotes, in text to be compared.
    func copy(where isWanted: (String) -> Bool) throws -> [String: String] {
        var found: [String: String] = [:]
        var cursor = "0"
        repeat {
            let reply = try call("SCAN", cursor, "COUNT", "1000")
            cursor = reply.array?.first?.text ?? "0"
            for key in reply.array?.last?.texts ?? [] where isWanted(key) { found[key] = try text(of: key) }
        } while cursor != "0"
        return found
    }

    private func text(of key: String) throws -> String {
        // Two stores that are compared compute an expiry a moment apart.
        let left = try call("TTL", key).integer ?? 0
        let end = left < 0 ? "stays" : "ends in \((left + 1800) / 3600) h"
        switch try call("TYPE", key).text {
        case "hash" where key == TrackerScripts.unarchivedKey:
            // Numbers of records are each journal's own.
            let now = SystemClock.now().seconds
            let rows = try hash(key).mapValues { value in
                (Int64(value.split(separator: " ").last ?? "") ?? 0) - now + 1800
            }
            return end + rows.sorted { $0.key < $1.key }.map { "\n\($0.key) ends in \($0.value / 3600) h" }.joined()
        case "hash":
            let row = try hash(key).filter { !RedisServer.figures.contains($0.key) }
            return end + row.sorted { $0.key < $1.key }.map { "\n\($0.key)=\($0.value)" }.joined()
        case "set": return end + " \(try members(key))"
        case "zset": return end + " \(try call("ZRANGE", key, "0", "-1", "WITHSCORES").texts)"
        case "stream":
            let entries = try call("XRANGE", key, "-", "+").array ?? []
            return end + entries.map { "\n\($0.array?.first?.text ?? "") \($0.array?.last?.texts ?? [])" }.joined()
        default: return end + " " + (try call("GET", key).text ?? "")
        }
    }
}

/// Where two copies differ, for a failure's text.
func difference(_ left: [String: String], _ right: [String: String]) -> [String] {
    Set(left.keys).union(right.keys).sorted().compactMap { key in
        left[key] == right[key] ? nil : "\(key): \(left[key] ?? "absent") | \(right[key] ?? "absent")"
    }
}
