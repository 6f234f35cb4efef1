import Domain
import Glibc
import ServiceKit

/// Whether every port of a mesh can be bound, asked before anything is started.
enum PortCheck {
    /// - Throws: ``ToolError`` that names the first port in the way, its name, and who holds it.
    static func run(_ mesh: Mesh) throws(ToolError) {
        let listen = mesh.configuration.listenAddress
        guard LoopbackSocket.address(listen, port: 1) != nil else {
            throw ToolError(
                ExitStatus.configuration,
                "the EA ports can't listen on '\(listen)': write an IPv4 address of this machine, or 0.0.0.0 for all")
        }
        for entry in mesh.configuration.ports.all {
            if entry.name == .state && !mesh.usesOwnRedis { continue }
            let host = entry.isOpen ? listen : "127.0.0.1"
            guard let problem = LoopbackSocket.bindProblem(host: host, port: entry.port) else { continue }
            throw failure(entry, host: host, problem)
        }
    }

    private static func failure(_ entry: PortList.Entry, host: String, _ problem: Int32) -> ToolError {
        let port = "port \(entry.port) (\(entry.label), for \(entry.service.rawValue))"
        switch problem {
        case EADDRINUSE:
            let holder = Processes.listeners(on: [entry.port])[entry.port]?.words ?? "another process"
            return ToolError(
                ExitStatus.unavailable,
                "\(port) is taken by \(holder): stop it, or give this mesh another port in ports.yaml")
        case EADDRNOTAVAIL:
            return ToolError(ExitStatus.configuration, "\(port): this machine has no address \(host)")
        case EACCES:
            return ToolError(
                ExitStatus.noPermission, "\(port): you may not listen on it; numbers below 1024 need root")
        default:
            return ToolError(
                ExitStatus.unavailable, "\(port) can't be used on \(host): \(String(cString: strerror(problem)))")
        }
    }
}
