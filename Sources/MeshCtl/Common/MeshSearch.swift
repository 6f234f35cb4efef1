import Foundation
import ServiceKit

/// Finding the mesh that runs.
extension Mesh {
    /// The mesh that runs where these options point: the usual one or its demonstration, with the options and the
    /// ports it was started with. The usual one where neither runs.
    ///
    /// - Parameter isStrict: whether a configuration that is wrong is an error even while a mesh runs that was started
    ///   with an earlier state of it.
    static func running(
        _ options: StartOptions, executables: String = Mesh.ownDirectory, isStrict: Bool = false
    ) throws(ConfigurationError) -> Mesh {
        var usual = options
        usual.isDemo = false
        do throws(ConfigurationError) {
            let mesh = try Mesh(usual, executables: executables)
            if mesh.isPresent { return try mesh.asStarted() }
            let demo = try mesh.demonstration()
            return demo.isPresent ? try demo.asStarted() : mesh
        } catch {
            // A file that was broken since the start must not keep anybody from looking at what runs, or stopping it.
            guard !isStrict else { throw error }
            let state = stateDirectory(options, executables)
            for run in [state + "/run", state + "/demo/run"] {
                if let mesh = started(run, executables), mesh.isPresent { return mesh }
            }
            throw error
        }
    }

    /// The same mesh as it was started.
    func asStarted() throws(ConfigurationError) -> Mesh {
        Mesh.started(configuration.runDirectory, executables) ?? self
    }

    private static func started(_ runDirectory: String, _ executables: String) -> Mesh? {
        guard let record = MeshRecord.read(MeshRecord.path(runDirectory)) else { return nil }
        let kept = portsInForce(runDirectory)
        let ports = FileManager.default.fileExists(atPath: kept) ? kept : nil
        guard let mesh = try? Mesh(record.options, executables: executables, ports: ports),
            mesh.configuration.runDirectory == runDirectory
        else { return nil }
        return mesh
    }

    /// Where the state would be, found without ports.yaml.
    private static func stateDirectory(_ options: StartOptions, _ executables: String) -> String {
        if let named = options.environment["MESH_VAR"] { return named }
        let root = options.environment["MESH_ROOT"] ?? projectRoot(above: executables)
        let file = options.config ?? options.environment["MESH_CONFIG"] ?? root + "/deploy/config/mesh.yaml"
        guard let said = (try? ConfigurationFile.mapping(path: file))?["var"] as? String else { return root + "/var" }
        let directory = (file as NSString).deletingLastPathComponent
        return ((said.hasPrefix("/") ? said : directory + "/" + said) as NSString).standardizingPath
    }

    private static func projectRoot(above directory: String) -> String {
        var root = directory
        while root.count > 1, !FileManager.default.fileExists(atPath: root + "/ports.yaml") {
            root = (root as NSString).deletingLastPathComponent
        }
        return root
    }
}
