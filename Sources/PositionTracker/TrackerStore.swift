import DequeModule
import Domain
import Redis
import ServiceKit
import Trading
import Wire

/// The tracker's writes. Each is one server-side script that checks and writes; what was not confirmed when Redis went
/// away is written again when it is back, and the checks make doing it twice doing it once.
final class TrackerStore {
    static let streamName = "events:trades"
    static let groupName = "position-tracker"
    /// Rows whose story is over are kept this long.
    static let keepSeconds = "7776000"

    enum Condition {
        case always
        /// The row at the key must be in one of these states; an absent row is the empty state.
        case state(key: String, of: [String])
        /// The stream entry must not be acknowledged yet; it is by this.
        case entry(String)
    }

    private struct Batch {
        let keys: [String]
        let values: [String]
        let completion: (Bool) -> Void
    }

    let reserveScript = RedisScript(
        name: "reserve",
        source: """
            local state = redis.call('HGET', KEYS[1], 'state')
            if state and state ~= 'denied' then return {'duplicate', state} end
            local used = redis.call('HLEN', KEYS[2])
            if used >= tonumber(ARGV[1]) then return {'no_slot', tostring(used)} end
            if state then redis.call('DEL', KEYS[1]) end
            redis.call('HSET', KEYS[2], ARGV[2], 'reserved')
            redis.call('HSET', KEYS[1], unpack(ARGV, 4))
            redis.call('SADD', KEYS[3], ARGV[2])
            redis.call('ZADD', KEYS[4], ARGV[3], ARGV[2])
            return {'reserved', tostring(used + 1)}
            """)

    let guardedScript = RedisScript(
        name: "guarded",
        source: """
            if ARGV[1] == 'state' then
              local state = redis.call('HGET', KEYS[1], 'state') or 'absent'
              if not string.find(ARGV[2], ' ' .. state .. ' ', 1, true) then return {0, state} end
            elseif ARGV[1] == 'entry' then
              local pending = redis.call('XPENDING', KEYS[1], ARGV[2], ARGV[3], ARGV[3], 1)
              if #pending == 0 then return {0, 'acknowledged'} end
            end
            for _, command in ipairs(cjson.decode(ARGV[4])) do redis.call(unpack(command)) end
            if ARGV[1] == 'entry' then redis.call('XACK', KEYS[1], ARGV[2], ARGV[3]) end
            return {1, ''}
            """)

    let link: RedisLink
    let report: ServiceReport
    private var unconfirmed: Deque<Batch> = []

    init(_ environment: ServiceEnvironment) {
        link = environment.makeRedisLink(scripts: [reserveScript, guardedScript])
        report = environment.report
    }

    /// Denials and audit lines kept for a Redis that is away; moves and events are never dropped.
    static let maximumWaiting = 20_000
    var isCrowded: Bool { waiting >= TrackerStore.maximumWaiting }

    /// Writes waiting for Redis to confirm them.
    var waiting: Int { unconfirmed.count }

    /// Takes a slot and writes the row if the id is new and a slot is free.
    func reserve(_ fire: Fire, slotsMaximum: Int, _ done: @escaping (ReservationResult) -> Void) {
        let keys = [fire.key, "slots:\(fire.userUUID)", "open_fires", "fires"]
        let values = [String(slotsMaximum), fire.fireID, String(fire.createdAt.milliseconds)] + fire.row
        link.run(reserveScript, keys: keys, values) { [report] reply in
            guard let parts = reply?.texts, parts.count == 2 else {
                if let message = reply?.errorMessage { report.problem("reserve", message) }
                return done(.unavailable)
            }
            switch parts[0] {
            case "reserved": done(.reserved(slotsUsed: Int(parts[1]) ?? 0))
            case "duplicate": done(.duplicate(state: parts[1]))
            default: done(.noSlot(slotsUsed: Int(parts[1]) ?? 0))
            }
        }
    }

    /// Writes the commands if the condition holds, now or as soon as Redis is there, in the order of the calls.
    func write(_ condition: Condition, _ commands: [[String]], _ completion: @escaping (Bool) -> Void = { _ in }) {
        let text = JSON.array(commands.map { .array($0.map(JSON.string)) }).compactText
        let batch: Batch =
            switch condition {
            case .always: Batch(keys: [], values: ["always", "", "", text], completion: completion)
            case .state(let key, let states):
                Batch(
                    keys: [key], values: ["state", " \(states.joined(separator: " ")) ", "", text],
                    completion: completion)
            case .entry(let identifier):
                Batch(
                    keys: [TrackerStore.streamName], values: ["entry", TrackerStore.groupName, identifier, text],
                    completion: completion)
            }
        unconfirmed.append(batch)
        if link.state == .ready { send(batch) }
    }

    /// Redis is back: what it did not confirm goes again, in order.
    func resend() { for batch in unconfirmed { send(batch) } }

    private func send(_ batch: Batch) {
        link.run(guardedScript, keys: batch.keys, batch.values) { [unowned self] reply in
            // No reply: it stays in line for the next connection.
            guard let reply else { return }
            unconfirmed.removeFirst()
            if let message = reply.errorMessage {
                report.reject("state_write_refused")
                report.problem("state", message)
                return batch.completion(false)
            }
            batch.completion(reply.array?.first?.integer == 1)
        }
    }
}
