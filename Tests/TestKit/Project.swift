import Foundation

/// Where the project's own files and products are.
public enum Project {
    /// The checkout: the folder with `ports.yaml` above this file.
    public static let root: String = {
        var directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while directory.path != "/" {
            if FileManager.default.fileExists(atPath: directory.appendingPathComponent("ports.yaml").path) { break }
            directory.deleteLastPathComponent()
        }
        return directory.path
    }()

    /// Where the executables stand: `MESH_PRODUCTS`, or beside the test bundle.
    public static let products: String = {
        if let named = ProcessInfo.processInfo.environment["MESH_PRODUCTS"], !named.isEmpty { return named }
        let bundle = Bundle.main.executablePath ?? CommandLine.arguments[0]
        let beside = URL(fileURLWithPath: bundle).deletingLastPathComponent().path
        if FileManager.default.isExecutableFile(atPath: beside + "/node-registry") { return beside }
        return root + "/.build/debug"
    }()

    public static func product(_ name: String) -> String { products + "/" + name }

    public static func isBuilt(_ names: [String]) -> Bool {
        names.allSatisfy { FileManager.default.isExecutableFile(atPath: product($0)) }
    }

    /// A real data file of `../shared/data`, or nil where the folder is absent.
    public static func data(_ name: String) -> String? {
        let path = root + "/../shared/data/" + name
        return FileManager.default.isReadableFile(atPath: path) ? path : nil
    }

    /// This process's environment without what it may carry for a running mesh.
    public static var cleanEnvironment: [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("MESH_") && $0.key != "REDIS_URL" }
    }
}
