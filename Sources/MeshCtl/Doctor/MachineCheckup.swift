import CLinux
import Domain
import Foundation
import Glibc
import ServiceKit
import ZeroMQ

/// Whether this machine has what a mesh needs: programs, limits, room and rights.
struct MachineCheckup {
    let mesh: Mesh

    init(_ mesh: Mesh) { self.mesh = mesh }

    var checkups: [Checkup] {
        let configuration = mesh.configuration
        return [
            Checkup("symbols") { [symbols()] }, Checkup("swift") { [swift()] }, Checkup("libraries") { [libraries()] },
            Checkup("programs") { [programs()] }, Checkup("build") { [products()] },
            Checkup("directories") { [configuration.varDirectory, configuration.logDirectory].map(directory) },
            Checkup("open files") { [openFiles()] }, Checkup("disk") { [room()] }, Checkup("memory") { [memory()] },
            Checkup("clock") { ClockCheckup(mesh).findings() }, Checkup("token") { [token()] },
        ]
    }

    private func symbols() -> Finding {
        do throws(ConfigurationError) {
            _ = try InstrumentFile.load(path: mesh.configuration.symbolsFile)
            return .good("symbols", mesh.configuration.symbolsFile)
        } catch {
            return .critical("symbols", error.description, "correct the file")
        }
    }

    /// Needed to build, not to run.
    private func swift() -> Finding {
        guard ProgramSearch.find("swift") != nil else {
            return .good("swift", "not installed, and only needed to build: this program runs without")
        }
        guard let result = try? SystemProgram.run("swift", ["--version"]), result.status == 0 else {
            return .warning(
                "swift", "it is installed and does not run", "install the toolchain anew: swift.org/install")
        }
        let words = result.output.split(whereSeparator: \.isWhitespace)
        let version = words.firstIndex(of: "version").map { words[words.index(after: $0)...].first ?? "" } ?? ""
        let parts = version.split(separator: ".").compactMap { Int($0) }
        guard let major = parts.first, (major, parts.dropFirst().first ?? 0) >= (6, 1) else {
            return .warning("swift", "version \(version)", "install Swift 6.1 or newer to build: swift.org/install")
        }
        return .good("swift", "version \(version)")
    }

    private func libraries() -> Finding {
        let version = ZMQContext.libraryVersion
        let parts = version.split(separator: ".").compactMap { Int($0) }
        guard parts.count == 3, (parts[0], parts[1]) >= (4, 3) else {
            return .warning("libraries", "libzmq \(version)", "install libzmq 4.3 or newer")
        }
        let others = ["libhiredis", "libz.so"].compactMap { Processes.loadedLibrary($0) }
        return .good("libraries", (["libzmq \(version)"] + others).joined(separator: ", "))
    }

    private func programs() -> Finding {
        let packages = [
            "runsvdir": "runit", "runsv": "runit", "svlogd": "runit", "chpst": "runit", "setpriv": "util-linux",
            "redis-server": "redis-server", "redis-cli": "redis-tools",
        ]
        let missing = packages.filter { ProgramSearch.find($0.key) == nil }
        guard !missing.isEmpty else { return .good("programs", "runit, redis-server, redis-cli, setpriv") }
        let names = Set(missing.values).sorted().joined(separator: " ")
        return .critical(
            "programs", "not installed: \(missing.keys.sorted().joined(separator: ", "))",
            "sudo apt-get install -y --no-install-recommends \(names)")
    }

    private func products() -> Finding {
        let names = ServiceName.startOrder.map(\.rawValue) + [Mesh.simulator]
        let missing = names.filter { access("\(mesh.executables)/\($0)", X_OK) != 0 }
        guard !missing.isEmpty else { return .good("build", "\(mesh.executables), version \(MeshVersion.current)") }
        return .critical(
            "build", "missing in \(mesh.executables): \(missing.joined(separator: ", "))", "swift build -c release")
    }

    private func openFiles() -> Finding {
        let limit = raiseOpenFileLimit()
        let text = "\(limit) per process"
        // A terminal takes three descriptors in all, spread over two services.
        guard limit < 8192 else { return .good("open files", text) }
        return .warning("open files", text, "raise the hard limit (ulimit -Hn) for more than \(limit / 2) terminals")
    }

    private func directory(_ path: String) -> Finding {
        var existing = path
        while access(existing, F_OK) != 0, existing.count > 1 {
            existing = (existing as NSString).deletingLastPathComponent
        }
        guard access(existing, W_OK | X_OK) == 0 else {
            return .critical("directory", "\(existing) can't be written", "give this user the right, or set MESH_VAR")
        }
        return .good("directory", existing == path ? "\(path) can be written" : "\(path) can be made")
    }

    private func room() -> Finding {
        var path = mesh.configuration.varDirectory
        while access(path, F_OK) != 0, path.count > 1 { path = (path as NSString).deletingLastPathComponent }
        var information = statvfs()
        guard statvfs(path, &information) == 0, information.f_blocks > 0 else {
            return .warning("disk", "\(path): its room is unknown", "look with df")
        }
        let free = Double(information.f_bavail) / Double(information.f_blocks) * 100
        let gigabytes = Double(information.f_bavail) * Double(information.f_frsize) / 1e9
        let text = String(format: "%.1f GB (%.0f %%) free for %@", gigabytes, free, path)
        if gigabytes < 0.2 {
            return .critical("disk", text, "make room: confirmations can't be journaled on a full disk")
        }
        if free < 5 || gigabytes < 1 { return .warning("disk", text, "make room") }
        return .good("disk", text)
    }

    private func memory() -> Finding {
        let fields = ProcText.numbers(Processes.text("/proc/meminfo") ?? "")
        guard let total = fields["MemTotal"], let available = fields["MemAvailable"], total > 0 else {
            return .unknown("memory", "/proc/meminfo says nothing of it", "look with free")
        }
        let share = available * 100 / total
        let text = "\(available / 1024) MB of \(total / 1024) MB available"
        if available < 200 * 1024 { return .critical("memory", text, "stop something: Redis needs room to fork") }
        return share < 10 ? .warning("memory", text, "look with top what takes it") : .good("memory", text)
    }

    private func token() -> Finding {
        let path = mesh.configuration.tokenFile
        guard access(path, F_OK) == 0 else { return .good("token", "none yet; the start makes one") }
        guard let problem = TokenFile.problem(path) else { return .good("token", path) }
        return .warning("token", "\(path): \(problem)", "chmod 600 it, then meshctl token rotate")
    }
}
