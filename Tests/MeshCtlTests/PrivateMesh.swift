import Foundation
import Glibc
import ServiceKit
import Supervision

@testable import MeshCtl

/// A mesh of a test's own: directory, ports below 32768 that were free a moment ago, and programs that only pretend.
struct PrivateMesh {
    let directory: String
    let mesh: Mesh

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    static let canSupervise = ["/usr/bin/runsvdir", "/usr/bin/chpst", "/usr/bin/redis-server", "/usr/bin/setpriv"]
        .allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

    /// What the services of a test do: say that they are ready, then wait. `fail-<name>` in the state makes one end.
    private static let pretender = """
        #!/bin/sh
        name=${0##*/}
        if [ -e "$MESH_VAR/fail-$name" ]; then echo "no luck today"; exit 3; fi
        printf '%s 1\\n' "$$" >"$MESH_VAR/run/$name.ready"
        exec sleep 600
        """

    static func with(
        environment: [String: String] = [:], _ body: (PrivateMesh) throws -> Void
    ) throws {
        let directory = "/tmp/meshctl-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory + "/bin", withIntermediateDirectories: true)
        let ports = try renumbered(String(contentsOfFile: root + "/ports.yaml", encoding: .utf8))
        try ports.write(toFile: directory + "/ports.yaml", atomically: true, encoding: .utf8)
        try "var: var\nlogs: logs\nports: ports.yaml\n".write(
            toFile: directory + "/mesh.yaml", atomically: true, encoding: .utf8)
        var environment = environment
        environment["MESH_ROOT"] = root
        let options = StartOptions(config: directory + "/mesh.yaml", environment: environment, directory: directory)
        let mesh = try Mesh(options, executables: directory + "/bin")
        let test = PrivateMesh(directory: directory, mesh: mesh)
        defer { test.end() }
        try body(test)
    }

    func makePretenders() throws {
        let names = mesh.serviceNames.filter { $0 != "redis" } + [Mesh.simulator]
        for name in names {
            let path = "\(mesh.executables)/\(name)"
            try PrivateMesh.pretender.write(toFile: path, atomically: true, encoding: .utf8)
            chmod(path, 0o755)
        }
    }

    /// Whatever a failed test left running.
    private func end() {
        guard mesh.isPresent else { return }
        _ = mesh.supervisor.stopAll(order: [], withinSeconds: 5)
        try? mesh.supervisor.stopDaemon()
    }

    private static func renumbered(_ text: String) -> String {
        let count = text.split(separator: "port: ").count - 1
        var free = freePorts(count).makeIterator()
        let parts = text.split(separator: "port: ", omittingEmptySubsequences: false)
        return parts.dropFirst().reduce(String(parts[0])) { result, part in
            result + "port: \(free.next() ?? 0)" + part.drop { $0.isNumber }
        }
    }

    /// Distinct ports nobody listens on, all held until all are found.
    static func freePorts(_ count: Int) -> [Int] {
        var held: [Int32] = []
        defer { for descriptor in held { close(descriptor) } }
        var found: [Int] = []
        while found.count < count {
            let port = Int.random(in: 20_000..<32_000)
            guard let descriptor = listener(port) else { continue }
            held.append(descriptor)
            found.append(port)
        }
        return found
    }

    /// A socket that listens on the port; nil where somebody else does.
    static func listener(_ port: Int) -> Int32? {
        guard var address = LoopbackSocket.address("127.0.0.1", port: port) else { return nil }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard result == 0, listen(descriptor, 8) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}

/// Runs blocking calls on a thread of their own: the pool of the concurrent tests stays free.
func blocking(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}
