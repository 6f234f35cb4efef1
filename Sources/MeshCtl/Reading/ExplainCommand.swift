import ArgumentParser
import ServiceKit
import Wire

/// `meshctl explain`.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Tell the whole story of one fire.",
        discussion: """
            What was asked for, the signal, its score and factors, the arithmetic of the lot, the slot, the way out, the
            answer, the position and its money. What is not known is said with the reason.

            Example:
              meshctl explain cli-mi8q2k7f-04zx
            """)

    @Argument(help: "The fire's id; of a fire for many users with its number, for example morning.3.") var fireID:
        String
    @OptionGroup var query: QueryOptions

    func run() throws {
        let mesh = try query.mesh()
        let client = HTTPClient(port: mesh.configuration.ports[.health].port)
        let answer: HTTPClient.Answer
        do throws(ToolError) {
            answer = try client.get("/explain/\(HTTPClient.encoded(fireID))")
        } catch {
            return try tellFromRow(mesh, why: error.message)
        }
        guard let story = answer.json?.object else {
            throw ToolError(ExitStatus.unavailable, "the dashboard answered with no JSON (status \(answer.status))")
        }
        guard answer.status == 200 else {
            let message = story["error"]?.object?["message"]?.text ?? "status \(answer.status)"
            let code = answer.status == 503 ? ExitStatus.unavailable : ExitStatus.denied
            throw ToolError(code, TerminalText.sanitised(message))
        }
        if query.json { return print(story.compactText) }
        Output.show(StoryText.lines(story), isWide: query.wide)
    }

    /// The dashboard is one of the seven: without it the ledger's row is still there.
    private func tellFromRow(_ mesh: Mesh, why: String) throws {
        let row = try RequestPort(mesh, .orders).demand([
            "type": .string("outcome"), "fire_id": .string(fireID),
        ])
        StandardError.write(line: "meshctl: \(why); this is the ledger's row alone")
        if query.json { return print(row.compactText) }
        Output.show(StoryText.row(row), isWide: query.wide)
    }
}
