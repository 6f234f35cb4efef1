import Foundation
import Glibc

/// What /proc tells about processes and ports of this machine. Source: proc(5).
enum Processes {
    /// The process that listens on a port, as far as this user may see it.
    struct Listener: Equatable {
        var pid: Int32?
        var program: String?

        /// `redis-server, process 812`, or what can be said without rights.
        var words: String {
            guard let pid else { return "a process of another user" }
            return "\(program ?? "a program"), process \(pid)"
        }
    }

    /// Sockets in state LISTEN, by port.
    static func listeningSockets() -> [Int: Set<UInt64>] {
        var result: [Int: Set<UInt64>] = [:]
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            for (port, inode) in listeners(text: text(file) ?? "") { result[port, default: []].insert(inode) }
        }
        return result
    }

    /// Ports and inodes of the lines whose state is 0A.
    static func listeners(text: String) -> [(port: Int, inode: UInt64)] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(separator: " ")
            guard words.count > 9, words[3] == "0A", let colon = words[1].lastIndex(of: ":"),
                let port = Int(words[1][words[1].index(after: colon)...], radix: 16), let inode = UInt64(words[9])
            else { return nil }
            return (port, inode)
        }
    }

    /// Who holds these sockets: one walk through /proc for any number of them.
    static func holders(of inodes: Set<UInt64>) -> [UInt64: Listener] {
        guard !inodes.isEmpty else { return [:] }
        let wanted = Dictionary(inodes.map { ("socket:[\($0)]", $0) }) { first, _ in first }
        var result: [UInt64: Listener] = [:]
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = Int32(name), result.count < inodes.count,
                let descriptors = try? files.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
            else { continue }
            for descriptor in descriptors {
                guard let target = try? files.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(descriptor)"),
                    let inode = wanted[target]
                else { continue }
                result[inode] = Listener(pid: pid, program: program(pid))
            }
        }
        return result
    }

    /// Listeners of the ports that have one.
    static func listeners(on ports: [Int]) -> [Int: Listener] {
        let sockets = listeningSockets().filter { ports.contains($0.key) }
        let holders = holders(of: sockets.values.reduce(into: Set()) { $0.formUnion($1) })
        return sockets.mapValues { inodes in inodes.compactMap { holders[$0] }.first ?? Listener() }
    }

    /// The program's name; the kernel keeps 15 characters, the rest comes from the file where that may be seen.
    static func program(_ pid: Int32) -> String? {
        guard let name = text("/proc/\(pid)/comm")?.trimmingCharacters(in: .newlines) else { return nil }
        let file = executable(pid).map { ($0 as NSString).lastPathComponent }
        return name.utf8.count == 15 && file?.hasPrefix(name) == true ? file : name
    }

    private static let deletedMark = " (deleted)"

    static func executable(_ pid: Int32) -> String? {
        guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe") else {
            return nil
        }
        return path.hasSuffix(deletedMark) ? String(path.dropLast(deletedMark.count)) : path
    }

    /// Whether a process runs a program that is not the one on disk any more.
    static func isOutdated(_ pid: Int32, uptimeSeconds: Double) -> Bool {
        guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe") else {
            return false
        }
        if path.hasSuffix(deletedMark) { return true }
        var information = stat()
        guard stat(path, &information) == 0 else { return false }
        let changed = Double(information.st_mtim.tv_sec) + Double(information.st_mtim.tv_nsec) / 1e9
        return changed > Date().timeIntervalSince1970 - uptimeSeconds
    }

    /// The file of a library this very program has loaded, as `libhiredis.so.0.14`; nil where it has not.
    static func loadedLibrary(_ name: String) -> String? {
        let line = (text("/proc/self/maps") ?? "").split(separator: "\n").first { $0.contains("/\(name)") }
        return line?.split(separator: "/").last.map(String.init)
    }

    /// Files in /proc have no size: they are read until their end.
    static func text(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else { return nil }
        return String(decoding: data, as: UTF8.self)
    }
}
