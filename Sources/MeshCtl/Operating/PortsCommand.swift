import ArgumentParser
import Domain
import Foundation
import ServiceKit
import Wire

/// `meshctl ports`.
struct PortsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ports", abstract: "Check, list or render ports.yaml, the one list of ports.",
        discussion: """
            Examples:
              meshctl ports
              meshctl ports check
            """,
        subcommands: [Check.self, List.self, Render.self], defaultSubcommand: List.self)

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether ports.yaml is right: unique ports, one known owner each, nothing missing.",
            discussion: "Exit codes: 0 right, 78 not; the line names the entry and what would be right.")

        @OptionGroup var query: QueryOptions

        func run() throws {
            // The file itself, not what a running mesh keeps of it.
            let configuration = try Mesh(StartOptions(config: query.target.config)).configuration
            let count = configuration.ports.all.count
            guard query.json else { return print("\(configuration.portsFile): good, \(count) ports") }
            let answer: JSONObject = [
                "ok": .bool(true), "file": .string(configuration.portsFile), "ports": .integer(count),
            ]
            print(answer.compactText)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List ports with owner, socket type, and who listens now.",
            discussion: """
                Scripts ask for one number like this:
                  meshctl ports list --name health --number
                """)

        @Option(help: "Only this port.", transform: { try List.name($0) }) var name: PortList.Name?
        @Flag(help: "Print only the number; needs --name.") var number = false
        @OptionGroup var query: QueryOptions

        private static func name(_ text: String) throws -> PortList.Name {
            guard let name = PortList.Name(rawValue: text) else {
                throw ValidationError("the ports are \(PortList.Name.allCases.map(\.rawValue).joined(separator: " "))")
            }
            return name
        }

        func validate() throws {
            if number && name == nil { throw ValidationError("--number needs --name") }
        }

        func run() throws {
            let mesh = try query.mesh()
            if number, let name { return print(mesh.configuration.ports[name].port) }
            let entries = mesh.configuration.ports.all.filter { name == nil || $0.name == name }
            let listeners = Processes.listeners(on: entries.map(\.port))
            if query.json { return print(JSON.array(entries.map { List.json($0, listeners) }).compactText) }
            var table = Table([
                .number("port"), .text("name"), .text("bound by", rank: 7), .text("socket", rank: 8),
                .text("listening"), .text("carries", rank: 1),
            ])
            for entry in entries {
                let isUnused = entry.name == .state && !mesh.usesOwnRedis
                let listener = listeners[entry.port]
                table.add([
                    "\(entry.port)", Table.Cell(entry.label), Table.Cell(entry.service.rawValue),
                    Table.Cell(entry.socket.rawValue),
                    isUnused
                        ? Table.Cell("unused", .dim) : listener.map { Table.Cell($0.words, .good) } ?? .state("no"),
                    Table.Cell(entry.carries),
                ])
            }
            table.show(isWide: query.wide)
        }

        private static func json(_ entry: PortList.Entry, _ listeners: [Int: Processes.Listener]) -> JSON {
            let listener = listeners[entry.port]
            return .object([
                "port": .integer(entry.port), "name": .string(entry.label),
                "service": .string(entry.service.rawValue), "socket": .string(entry.socket.rawValue),
                "open": .bool(entry.isOpen), "carries": .string(entry.carries), "listening": .bool(listener != nil),
                "pid": listener?.pid.map { .integer($0) } ?? .null, "program": .text(listener?.program),
            ])
        }
    }

    struct Render: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write ports.yaml as NAME=NUMBER lines, for systemd and shell scripts.",
            discussion: """
                Example:
                  meshctl ports render --output /etc/terminal-mesh/ports.env
                """)

        @OptionGroup var query: QueryOptions
        @Option(name: .shortAndLong, help: "The file to write; standard output without it.") var output: String?

        func run() throws {
            let ports = try Mesh(StartOptions(config: query.target.config)).configuration.ports
            let text = query.json ? Render.json(ports).compactText + "\n" : Render.text(ports)
            guard let output, output != "-" else { return print(text, terminator: "") }
            do {
                try text.write(toFile: output, atomically: true, encoding: .utf8)
            } catch {
                throw ToolError(ExitStatus.cannotCreate, "cannot write \(output): \(error.localizedDescription)")
            }
        }

        /// `MESH_PORT_EA_COMMANDS=…`, one line a port.
        static func text(_ ports: PortList) -> String {
            let lines = ports.all.map { "\(variable($0.label))=\($0.port)\n" }
            return "# Written by `meshctl ports render` from ports.yaml; changes here are overwritten.\n"
                + lines.joined()
        }

        static func json(_ ports: PortList) -> JSONObject {
            var object = JSONObject()
            for entry in ports.all { object.append(variable(entry.label), .integer(entry.port)) }
            return object
        }

        private static func variable(_ name: String) -> String {
            "MESH_PORT_" + String(name.uppercased().map { $0 == "-" ? "_" : $0 })
        }
    }
}
