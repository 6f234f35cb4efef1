import Glibc
import ServiceKit
import Synchronization

/// A program this process started: its output goes to two files, and it never outlives the test process.
///
/// Only its own pid is ever signalled. Source: posix_spawn(3), waitpid(2).
public final class ChildProcess {
    public enum Exit: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    public let name: String
    public let pid: Int32
    public let outputFile: String
    public let errorFile: String
    private var exit: Exit?

    /// - Parameters:
    ///   - executable: a full path.
    ///   - environment: the whole environment of the child.
    ///   - log: a path to which `.out` and `.err` are appended.
    public init(_ executable: String, _ arguments: [String], environment: [String: String], log: String) throws {
        name = executable.split(separator: "/").last.map(String.init) ?? executable
        outputFile = log + ".out"
        errorFile = log + ".err"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let writing = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputFile, writing, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, errorFile, writing, 0o644)
        // hiredis does not mark its sockets close-on-exec: a child that held them would hide every disconnect.
        for descriptor in Self.openDescriptors { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        posix_spawnattr_setsigmask(&attributes, &unblocked)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var argv: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var started: Int32 = 0
        let status = posix_spawn(&started, executable, &actions, &attributes, &argv, &envp)
        guard status == 0 else {
            throw Failure(description: "\(executable): \(String(cString: strerror(status)))")
        }
        pid = started
        Children.note(started)
    }

    deinit {
        if isRunning { kill(SIGKILL) }
        _ = try? wait(within: 5)
    }

    /// All but the first three. One that is closed meanwhile costs nothing.
    private static var openDescriptors: [Int32] {
        guard let directory = opendir("/proc/self/fd") else { return [] }
        defer { closedir(directory) }
        var found: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let descriptor = Int32(name), descriptor > 2 { found.append(descriptor) }
        }
        return found
    }

    /// Takes an exit that has happened.
    public var isRunning: Bool {
        if exit != nil { return false }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return true }
        let signal = status & 0x7F
        exit = signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
        Children.forget(pid)
        return false
    }

    public func kill(_ signal: Int32) { if isRunning { Glibc.kill(pid, signal) } }

    /// - Throws: ``ConditionNotMet`` when it still runs after so many seconds.
    @discardableResult
    public func wait(within seconds: Double) throws -> Exit {
        try eventually("\(name) (pid \(pid)) ends", within: seconds) { !isRunning }
        return exit ?? .exited(-1)
    }

    public var output: String { text(ofFile: outputFile) }
    public var errors: String { text(ofFile: errorFile) }

    /// Removes the output files: for many short calls with one log path.
    public func forgetOutput() {
        unlink(outputFile)
        unlink(errorFile)
    }

    /// The last lines of what it wrote, for a failure's text.
    public func tail(_ lines: Int = 20) -> String {
        let all = (errors + output).split(separator: "\n", omittingEmptySubsequences: false)
        return all.suffix(lines).joined(separator: "\n")
    }
}

/// The children that live, so that a test process that ends in the middle leaves none.
private enum Children {
    private static let pids = Mutex<Set<Int32>>([])
    private static let registered: Bool = {
        atexit { Children.killAll() }
        return true
    }()

    static func note(_ pid: Int32) {
        _ = registered
        _ = pids.withLock { $0.insert(pid) }
    }

    static func forget(_ pid: Int32) { _ = pids.withLock { $0.remove(pid) } }

    static func killAll() { pids.withLock { for pid in $0 { Glibc.kill(pid, SIGKILL) } } }
}

/// The text of a file, or nothing when it isn't there; invalid UTF-8 is replaced.
func text(ofFile path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes.append(contentsOf: buffer[..<count])
    }
}
