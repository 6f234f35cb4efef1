import ArgumentParser
import ServiceKit
import Wire

/// `meshctl restore`.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Bring a backup back into a stopped, empty mesh; or only check it.",
        discussion: """
            The backup is checked whole before anything is touched, and afterwards every key and every journal file is
            compared with it. A mesh that has something already is left alone; with --replace that is backed up first,
            beside the others, and then replaced. The services have to be stopped: ./stop_all_services.sh

            Examples:
              meshctl restore mesh.tar --verify
              meshctl restore mesh.tar

            Exit codes: 0 right, 1 refused, 2 the backup is damaged, or what was restored differs from it.
            """)

    @OptionGroup var target: MeshOption
    @Argument(help: "The backup.") var file: String
    @Flag(help: "Only check every checksum; nothing is restored.") var verify = false
    @Flag(help: "Replace what is there, after a backup of it.") var replace = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        if verify && replace { throw ValidationError("--verify restores nothing: leave out --replace") }
    }

    func run() throws {
        let archive = BackupArchive(path: file)
        if verify {
            let manifest = try Progress.over("checking \(file) …") { try archive.verified() }
            let object: JSONObject = ["ok": .bool(true), "file": .string(file), "manifest": .object(manifest.json)]
            return Output.show(
                json ? [object.compactText] : ["\(file): all of \(manifest.files.count) files right"] + manifest.lines)
        }
        let mesh = try target.mesh()
        let report = try Progress.over("checking \(file) …") {
            try MeshRestore(mesh, archive, replaces: replace).run()
        }
        Output.show(json ? [report.json.compactText] : report.lines)
        if !report.isRight { throw ExitCode(ExitStatus.damaged) }
    }
}
