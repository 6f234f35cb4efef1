import Foundation
import Glibc
import Wire

/// The machine's resources at one moment. Sources: proc(5), statvfs(3).
struct SystemStatus: Sendable, Equatable {
    /// Busy share of all processors since the last look, 0 to 100; nil at the first.
    var cpuPercent: Double?
    var processors = 0
    var loadAverage: Double?
    /// Bytes.
    var memoryTotal: Int64 = 0
    var memoryAvailable: Int64 = 0
    var diskTotal: Int64 = 0
    var diskFree: Int64 = 0

    var memoryUsedPercent: Double? { SystemStatus.percent(used: memoryTotal - memoryAvailable, of: memoryTotal) }
    var diskUsedPercent: Double? { SystemStatus.percent(used: diskTotal - diskFree, of: diskTotal) }

    private static func percent(used: Int64, of total: Int64) -> Double? {
        total > 0 ? Double(used) / Double(total) * 100 : nil
    }

    var json: JSON {
        func bytes(_ value: Int64) -> JSON { value > 0 ? .integer(value) : .null }
        return .object([
            "cpu_percent": .rounded(cpuPercent), "processors": .integer(processors),
            "load_1m": .rounded(loadAverage, 2),
            "memory_total_bytes": bytes(memoryTotal), "memory_available_bytes": bytes(memoryAvailable),
            "memory_used_percent": .rounded(memoryUsedPercent), "disk_total_bytes": bytes(diskTotal),
            "disk_free_bytes": bytes(diskFree), "disk_used_percent": .rounded(diskUsedPercent),
        ])
    }
}

extension JSON {
    /// A measured figure with a few decimals: for percentages and rates, never for money.
    static func rounded(_ value: Double?, _ decimals: Int = 1) -> JSON {
        guard let value, value.isFinite else { return .null }
        let scale = decimals == 2 ? 100.0 : decimals == 4 ? 10_000.0 : 10.0
        return .number("\((value * scale).rounded() / scale)")
    }
}

/// Looks at the machine once a second. Owned by the loop's thread.
final class SystemProbe {
    private let directory: String
    private var last: (busy: Int64, total: Int64)?

    /// - Parameter directory: whose file system is watched: where the state lives.
    init(directory: String) { self.directory = directory }

    func look() -> SystemStatus {
        var status = SystemStatus()
        status.processors = ProcessInfo.processInfo.processorCount
        if let times = SystemProbe.processorTimes(ProcFile.text("/proc/stat")) {
            if let last, times.total > last.total {
                status.cpuPercent = Double(times.busy - last.busy) / Double(times.total - last.total) * 100
            }
            last = times
        }
        status.loadAverage = ProcFile.text("/proc/loadavg").split(separator: " ").first.flatMap { Double($0) }
        let memory = ProcFile.text("/proc/meminfo")
        status.memoryTotal = SystemProbe.kilobytes(memory, "MemTotal:") * 1024
        status.memoryAvailable = SystemProbe.kilobytes(memory, "MemAvailable:") * 1024
        var information = statvfs()
        if statvfs(directory, &information) == 0 {
            let block = Int64(clamping: information.f_frsize)
            status.diskTotal = Int64(clamping: information.f_blocks) * block
            status.diskFree = Int64(clamping: information.f_bavail) * block
        }
        return status
    }

    /// The first line of /proc/stat: user nice system idle iowait irq softirq steal …, in ticks since boot.
    static func processorTimes(_ text: String) -> (busy: Int64, total: Int64)? {
        guard let line = text.split(separator: "\n", maxSplits: 1).first, line.hasPrefix("cpu ") else { return nil }
        let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Int64($0) }
        guard ticks.count >= 5 else { return nil }
        let total = ticks.reduce(0, +)
        return (total - ticks[3] - ticks[4], total)
    }

    static func kilobytes(_ text: String, _ name: String) -> Int64 {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            return line.dropFirst(name.count).split(separator: " ").first.flatMap { Int64($0) } ?? 0
        }
        return 0
    }
}
