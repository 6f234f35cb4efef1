import ArgumentParser
import ServiceKit
import Wire

/// `meshctl doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look for what may be wrong with this machine, its mesh or one user's terminal, and say what to do.",
        discussion: """
            Without a user: programs and libraries, ports, Redis, journals, clock, limits, room, each service's \
            progress, and a played terminal's way through every hop and back. Works whether the mesh runs or not; each \
            check has a time limit of its own. Changes nothing.

            With a user: what is wrong with that user's terminal, and what the user should click.

            Exit codes: 0 good, 1 warning, 2 critical, 3 unknown.

            Examples:
              meshctl doctor
              meshctl doctor --json
              meshctl doctor COMMANDER_DEV_001
            """)

    @Argument(help: "A user's UUID, to look at that user's terminal.") var user: String?
    @OptionGroup var query: QueryOptions

    func run() throws {
        var findings: [Finding] = []
        func tell(_ found: [Finding]) {
            findings += found
            guard !query.json else { return }
            Progress.end()
            for finding in found { for line in DoctorText.lines(finding) where !Output.write(line: line) { return } }
            Progress.tell("looking …")
        }
        do {
            let mesh = try query.mesh()
            if let user {
                tell(UserCheckup(mesh, user).findings())
            } else {
                for stage in try DoctorRound(query.target.config, mesh).stages { Checkup.run(stage, tell) }
            }
        } catch let error as ConfigurationError {
            tell([
                .critical(
                    "configuration", error.description, "correct the file; `meshctl ports check` says when it is right")
            ])
        }
        Progress.end()
        print(query.json ? DoctorText.json(findings).compactText : DoctorText.sum(findings))
        try Finding.verdict(of: findings).exit()
    }
}

/// What is looked at, in the order in which it is told. A stage begins when the one before it is done, so that what
/// measures time is not disturbed by what reads gigabytes.
struct DoctorRound {
    let stages: [[Checkup]]

    /// - Throws: ``ConfigurationError`` of the file itself, though a mesh may run with what it was before.
    init(_ config: String?, _ mesh: Mesh) throws {
        let onDisk = try Mesh(StartOptions(config: config))
        let machine = MachineCheckup(mesh)
        let running = MeshCheckup(mesh)
        let redis = RedisCheckup(mesh)
        stages = [
            [Checkup("configuration") { [running.configuration(onDisk)] }] + machine.checkups,
            mesh.isPresent ? running.checkups : running.checkupsOfNone,
            [Checkup("redis") { redis.findings() }],
            mesh.isPresent
                ? [Checkup("round trip", seconds: 8) { [RoundTripCheckup(mesh).finding()] }] : [],
            JournalCheckup(mesh).checkups + (mesh.isPresent ? [ServiceProgress(mesh).checkup] : []),
        ]
    }
}
