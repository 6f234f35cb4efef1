import Foundation
import ServiceKit

/// A program of the system that is run to its end. Arguments are given as they are; no shell looks at them.
enum SystemProgram {
    /// What it left: exit code, and what it wrote.
    struct Result {
        let status: Int32
        let output: String
    }

    /// - Parameters:
    ///   - variables: added to the environment; for what nobody should see on a command line.
    ///   - withErrors: whether `output` has what it wrote on standard error too.
    /// - Throws: ``ToolError`` with code `unavailable` where it is not installed or can't be started.
    static func run(
        _ name: String, _ arguments: [String], variables: [String: String] = [:], withErrors: Bool = false
    ) throws(ToolError) -> Result {
        guard let program = ProgramSearch.find(name) else {
            throw ToolError(ExitStatus.unavailable, "\(name) is not installed")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(variables) { _, new in new }
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = withErrors ? pipe : FileHandle.nullDevice
        do {
            try process.run()
            let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return Result(status: process.terminationStatus, output: String(decoding: data, as: UTF8.self))
        } catch {
            throw ToolError(ExitStatus.unavailable, "cannot run \(program): \(error.localizedDescription)")
        }
    }
}
