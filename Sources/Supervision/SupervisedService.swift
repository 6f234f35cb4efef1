/// One program the supervisor keeps running.
public struct SupervisedService: Sendable, Equatable {
    /// Lower-case letters, digits and hyphens: the directory's and the log's name, what `ps` shows for ours.
    public let name: String
    /// Absolute path of the program.
    public let executable: String
    public let arguments: [String]
    /// Variables set for the service. Beyond these it gets only what `Supervisor.inheritedVariables` lists, so that a
    /// restart by the supervisor hours later runs with exactly what the start ran with.
    public let environment: [String: String]
    /// Absolute path; must exist when the service starts.
    public let workingDirectory: String

    public init(
        name: String, executable: String, arguments: [String] = [], environment: [String: String] = [:],
        workingDirectory: String
    ) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
    }

    static func isValid(name: String) -> Bool {
        guard let first = name.utf8.first, first != UInt8(ascii: "-"), name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || $0 == UInt8(ascii: "-")
        }
    }

    func validate() throws(SupervisionError) {
        guard Self.isValid(name: name) else {
            throw SupervisionError(.invalidService, "service name '\(name)' may hold only a-z, 0-9 and hyphens")
        }
        for path in [executable, workingDirectory] where !path.hasPrefix("/") {
            throw SupervisionError(.invalidService, "\(name): '\(path)' is not an absolute path")
        }
        for text in [executable, workingDirectory] + arguments + environment.values where text.utf8.contains(0) {
            throw SupervisionError(.invalidService, "\(name): an argument or variable holds a NUL byte")
        }
        for key in environment.keys where !Self.isValid(variable: key) {
            throw SupervisionError(.invalidService, "\(name): '\(key)' is not a name for an environment variable")
        }
    }

    private static func isValid(variable: String) -> Bool {
        guard let first = variable.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return variable.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
        }
    }

    /// The shell script `command`: variables, directory, then exec.
    ///
    /// `setpriv --pdeathsig TERM`: should runsv itself be killed, the service drains and ends instead of living on
    /// unsupervised beside its successor. `chpst -P`: a session of its own, out of reach of a terminal's signals.
    func commandScript(setpriv: String, chpst: String) -> String {
        var lines = ["#!/bin/sh", "# Written by `meshctl start`; changes here are overwritten."]
        for (key, value) in environment.sorted(by: { $0.key < $1.key }) {
            lines.append("export \(key)=\(Self.quoted(value))")
        }
        lines.append("cd \(Self.quoted(workingDirectory)) || exit 111")
        let words = [setpriv, "--pdeathsig", "TERM", chpst, "-P", executable] + arguments
        lines.append("exec " + words.map(Self.quoted).joined(separator: " "))
        return lines.joined(separator: "\n") + "\n"
    }

    static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
