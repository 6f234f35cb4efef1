import Domain
import Redis
import ServiceKit

/// Whether two Redis hold the same: every key, its type, its content, its time.
///
/// What expired in one of them meanwhile is no difference. Order counts where a type has one.
final class RedisComparison {
    /// The first differences, by key, and how many there are.
    private(set) var differences: [String] = []
    private(set) var count = 0
    private(set) var compared = 0
    private let left: RedisConnection
    private let right: RedisConnection
    /// A key that is carried over keeps what is left of its time, to this many milliseconds.
    private static let tolerance: Int64 = 10_000
    private static let patience = 60_000

    init(_ left: RedisAddress, _ right: RedisAddress) {
        self.left = RedisConnection(left)
        self.right = RedisConnection(right)
    }

    func run() throws(RedisConnectionError) {
        try RedisSnapshot.scan(left) { keys throws(RedisConnectionError) in try compare(keys) }
        try RedisSnapshot.scan(right) { keys throws(RedisConnectionError) in
            let known = try left.call(pipeline: keys.map { ["EXISTS", $0] }, milliseconds: RedisComparison.patience)
            for (key, reply) in zip(keys, known) where reply.integer != 1 {
                if try !isGone(key, right) { note(key, "is only in the second") }
            }
        }
    }

    private func note(_ key: String, _ words: String) {
        count += 1
        if differences.count < 100 { differences.append("\(key) \(words)") }
    }

    private func compare(_ keys: [String]) throws(RedisConnectionError) {
        let questions = keys.flatMap { [["TYPE", $0], ["PEXPIRETIME", $0]] }
        let first = try left.call(pipeline: questions, milliseconds: RedisComparison.patience)
        let second = try right.call(pipeline: questions, milliseconds: RedisComparison.patience)
        for (index, key) in keys.enumerated() {
            compared += 1
            let types = (first[2 * index].text ?? "", second[2 * index].text ?? "")
            guard types.0 == types.1 else {
                if types.1 == "none", try isGone(key, left) { continue }
                note(key, "is a \(types.0) in the first, \(types.1) in the second")
                continue
            }
            let times = (first[2 * index + 1].integer ?? 0, second[2 * index + 1].integer ?? 0)
            if (times.0 < 0) != (times.1 < 0) || abs(times.0 - times.1) > RedisComparison.tolerance {
                note(key, "expires at another time")
            }
            guard let reading = RedisComparison.reading(types.0, key) else {
                note(key, "is of a type that can't be compared: \(types.0)")
                continue
            }
            let values = (try content(reading, left, types.0), try content(reading, right, types.0))
            if values.0 != values.1, try !isGone(key, left) { note(key, "has another content") }
        }
    }

    /// Whether its time is over or about to be.
    private func isGone(_ key: String, _ connection: RedisConnection) throws(RedisConnectionError) -> Bool {
        let time = try connection.call(["PEXPIRETIME", key]).integer ?? -1
        return time == -2 || time > 0 && time < SystemClock.now().milliseconds + RedisComparison.tolerance
    }

    private static func reading(_ type: String, _ key: String) -> [[String]]? {
        switch type {
        case "string": [["GET", key]]
        case "hash": [["HGETALL", key]]
        case "set": [["SMEMBERS", key]]
        case "zset": [["ZRANGE", key, "0", "-1", "WITHSCORES"]]
        case "list": [["LRANGE", key, "0", "-1"]]
        case "stream": [["XRANGE", key, "-", "+"], ["XINFO", "GROUPS", key], ["XLEN", key]]
        case "none": []
        default: nil
        }
    }

    private func content(
        _ reading: [[String]], _ connection: RedisConnection, _ type: String
    ) throws(RedisConnectionError) -> [RedisValue] {
        var replies: [RedisValue] = []
        for command in reading { replies.append(try connection.call(command, milliseconds: RedisComparison.patience)) }
        switch type {
        case "hash": return replies.map { RedisComparison.sorted($0, by: 2) }
        case "set": return replies.map { RedisComparison.sorted($0, by: 1) }
        default: return replies
        }
    }

    /// Members in an order of their own, since a server has none that another keeps.
    private static func sorted(_ value: RedisValue, by count: Int) -> RedisValue {
        guard let items = value.array, items.count.isMultiple(of: count) else { return value }
        var groups = stride(from: 0, to: items.count, by: count).map { Array(items[$0..<($0 + count)]) }
        groups.sort { left, right in bytes(left[0]).lexicographicallyPrecedes(bytes(right[0])) }
        return .array(groups.flatMap { $0 })
    }

    private static func bytes(_ value: RedisValue) -> [UInt8] {
        if case .string(let bytes) = value { bytes } else { [] }
    }
}
