import ArgumentParser
import Foundation
import ServiceKit
import Wire

/// `meshctl token`.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Print the path of the file with the token for actions over HTTP, or make a new one.",
        discussion: """
            POST requests to the dashboard need `Authorization: Bearer TOKEN`, and so do the page's buttons. What is \
            printed is the path of the file, not the token itself, so that the token stays out of logs and of the \
            shell's history; `cat` shows it to who may read it.

            Examples:
              cat $(meshctl token)
              curl -X POST -H "Authorization: Bearer $(cat $(meshctl token))" …
            """,
        subcommands: [ShowPath.self, Rotate.self], defaultSubcommand: ShowPath.self)

    struct ShowPath: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the path of the file that holds the token.")

        @OptionGroup var query: QueryOptions

        func run() throws {
            let path = try query.mesh().configuration.tokenFile
            let answer: JSONObject = ["path": .string(path), "problem": .text(TokenFile.problem(path))]
            print(query.json ? answer.compactText : path)
            if let problem = TokenFile.problem(path) {
                throw ToolError(ExitStatus.denied, "\(path): \(problem); `meshctl token rotate` makes a new one")
            }
        }
    }

    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new token; the old one is refused within seconds.")

        @OptionGroup var query: QueryOptions

        func run() throws {
            let path = try query.mesh().configuration.tokenFile
            try TokenFile.rotate(path)
            let answer: JSONObject = ["path": .string(path), "rotated": .bool(true)]
            print(query.json ? answer.compactText : "a new token is in \(path)")
        }
    }
}
