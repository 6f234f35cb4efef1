import CLinux
import Domain
import Glibc
import Redis
import ServiceKit
import Wire

/// This machine's clock against everything here that knows the time: the clock that never steps, Redis, and the brokers.
struct ClockCheckup {
    /// What was measured; milliseconds.
    struct Facts: Equatable, Sendable {
        /// How far the wall clock ran away from the steady one while it was looked at.
        var step: Int64 = 0
        /// Redis's clock less ours; nil where it was not asked or did not answer.
        var redis: Int64?
        /// Whether the kernel knows of something that keeps its clock in step.
        var isDisciplined = true
        /// Each broker's clock less UTC as its terminals' quotes show it, by server.
        var brokers: [String: Int64] = [:]
    }

    static let lookMilliseconds: Int32 = 250
    /// Brokers' clocks are whole quarters of an hour from UTC; quotes are a few seconds old when they come.
    static let quarter: Int64 = 900_000
    static let brokerSlack: Int64 = 60_000

    let mesh: Mesh

    init(_ mesh: Mesh) { self.mesh = mesh }

    func findings() -> [Finding] { [ClockCheckup.judge(measured())] }

    private func measured() -> Facts {
        var facts = Facts()
        let (wall, steady) = (SystemClock.now(), SystemClock.monotonicMilliseconds())
        poll(nil, 0, ClockCheckup.lookMilliseconds)
        facts.step = (SystemClock.now() - wall) - (SystemClock.monotonicMilliseconds() - steady)
        var state = timex()
        // A look only: `modes` 0 changes nothing. TIME_ERROR says that nothing keeps the clock in step.
        facts.isDisciplined = adjtimex(&state) != TIME_ERROR
        guard mesh.isPresent || !mesh.usesOwnRedis else { return facts }
        let connection = RedisConnection(mesh.configuration.redis)
        let before = SystemClock.now()
        guard let replies = try? connection.call(pipeline: [["TIME"]], milliseconds: 1000) else { return facts }
        let now = SystemClock.now()
        let parts = replies[0].texts.compactMap { Int64($0) }
        if parts.count == 2 {
            let middle = before.milliseconds + (now - before) / 2
            facts.redis = parts[0] * 1000 + parts[1] / 1000 - middle
        }
        let offsets = try? connection.call(["HGET", "fleet_drift", "clock_offsets"], milliseconds: 1000)
        for field in offsets?.text.flatMap({ try? JSON($0) })?.object?.fields ?? [] {
            if let offset = field.value.text.flatMap({ Double($0) }), abs(offset) < 1e9 {
                facts.brokers[field.name] = Int64(offset)
            }
        }
        return facts
    }

    static func judge(_ facts: Facts) -> Finding {
        if abs(facts.step) > 50 {
            return .critical(
                "clock", "it moved \(facts.step) ms while it was looked at for \(lookMilliseconds) ms",
                "something sets it in steps: let one time service slew it (systemctl status systemd-timesyncd chrony)")
        }
        if let redis = facts.redis, abs(redis) > 1000 {
            let words = "Redis's clock is \(abs(redis)) ms \(redis > 0 ? "ahead of" : "behind") this machine's"
            let remedy = "set both machines' clocks by NTP: timedatectl set-ntp true"
            return abs(redis) > 5000 ? .critical("clock", words, remedy) : .warning("clock", words, remedy)
        }
        let residues = facts.brokers.values.map(residue).filter { abs($0) > brokerSlack }
        let isShared = residues.allSatisfy { $0 > 0 } || residues.allSatisfy { $0 < 0 }
        if residues.count >= 2, residues.count * 2 > facts.brokers.count, isShared {
            let middle = residues.sorted()[residues.count / 2]
            return .warning(
                "clock",
                "\(residues.count) brokers' quotes say that it is \(abs(middle) / 1000) s "
                    + (middle > 0 ? "behind" : "ahead"), "set it by NTP: timedatectl set-ntp true")
        }
        guard facts.isDisciplined else {
            return .warning(
                "clock", "it does not step, and nothing keeps it in step with UTC",
                "timedatectl set-ntp true (in a container: on its host)")
        }
        let redis = facts.redis.map { ", Redis's differs by \(abs($0)) ms" } ?? ""
        let brokers = facts.brokers.isEmpty ? "" : ", \(facts.brokers.count) brokers' fit it"
        return .good("clock", "kept in step with UTC\(redis)\(brokers)")
    }

    /// What is left of an offset beside whole quarters of an hour.
    static func residue(_ offset: Int64) -> Int64 {
        let rest = ((offset % quarter) + quarter) % quarter
        return rest > quarter / 2 ? rest - quarter : rest
    }
}
