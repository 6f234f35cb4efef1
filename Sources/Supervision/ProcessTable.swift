import Foundation
import Glibc

/// What /proc says about processes (proc(5)). A zombie counts as gone: it runs nothing and holds nothing.
enum ProcessTable {
    static func isAlive(_ pid: Int32) -> Bool {
        guard let fields = statFields(pid), let state = fields.first else { return false }
        return state != "Z" && state != "X"
    }

    /// Arguments of the process, empty when it is gone.
    static func commandLine(_ pid: Int32) -> [String] {
        guard let bytes = Files.bytes("/proc/\(pid)/cmdline") else { return [] }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The name of the running program, at most 15 characters.
    static func programName(_ pid: Int32) -> String? {
        Files.text("/proc/\(pid)/comm").map { $0.trimmingCharacters(in: .newlines) }
    }

    /// Seconds since the process was started, by the boot clock: no jump of the wall clock changes it.
    static func uptimeSeconds(_ pid: Int32) -> Double? {
        // Field 22 of the line, 20th after the name in parentheses.
        guard let fields = statFields(pid), fields.count > 19, let ticks = Double(fields[19]),
            let uptime = Files.text("/proc/uptime")?.split(separator: " ").first.flatMap({ Double($0) })
        else { return nil }
        return max(0, uptime - ticks / Double(sysconf(Int32(_SC_CLK_TCK))))
    }

    /// Living processes whose working directory is `directory` or lies below it: runsv, svlogd and finish scripts.
    static func processes(workingBelow directory: String) -> [Int32] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc") else { return [] }
        return names.compactMap { Int32($0) }.filter { pid in
            guard let current = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd") else {
                return false
            }
            // The kernel appends " (deleted)" where the directory was removed beneath the process.
            let path = current.hasSuffix(" (deleted)") ? String(current.dropLast(10)) : current
            return (path == directory || path.hasPrefix(directory + "/")) && isAlive(pid)
        }
    }

    /// Fields of /proc/<pid>/stat from the state on: the name before it may hold spaces and parentheses.
    private static func statFields(_ pid: Int32) -> [Substring]? {
        guard let line = Files.text("/proc/\(pid)/stat"), let end = line.lastIndex(of: ")") else { return nil }
        return line[line.index(after: end)...].split(whereSeparator: { $0 == " " || $0 == "\n" })
    }
}
