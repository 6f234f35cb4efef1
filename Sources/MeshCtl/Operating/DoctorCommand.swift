import ArgumentParser
import ServiceKit
import Wire

/// `meshctl doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look for what may be wrong with this machine and its mesh, and say what to do.",
        discussion: "Changes nothing. Exit codes: 0 good, 1 warning, 2 critical, 3 unknown.")

    @OptionGroup var query: QueryOptions

    func run() throws {
        let findings: [Finding]
        do {
            _ = try Mesh(StartOptions(config: query.target.config))
            let mesh = try query.mesh()
            findings = MachineCheckup(mesh).findings() + MeshCheckup(mesh).findings()
        } catch let error as ConfigurationError {
            findings = [
                .critical(
                    "configuration", error.description, "correct the file; `meshctl ports check` says when it is right")
            ]
        }
        show(findings)
        try (findings.map(\.verdict).max() ?? .unknown).exit()
    }

    private func show(_ findings: [Finding]) {
        if query.json {
            let items = findings.map { finding -> JSON in
                .object([
                    "status": .string(finding.word), "subject": .string(finding.subject),
                    "message": .string(finding.text),
                    "remedy": finding.remedy.isEmpty ? .null : .string(finding.remedy),
                ])
            }
            return print(JSON.array(items).compactText)
        }
        var table = Table([.text("how it is"), .text("what"), .text("found")])
        for finding in findings {
            let text = finding.remedy.isEmpty ? finding.text : "\(finding.text) -> \(finding.remedy)"
            table.add([Table.Cell(finding.word, finding.verdict.style), Table.Cell(finding.subject), Table.Cell(text)])
        }
        table.show()
    }
}
