import Citadel
import Domain
import Glibc
import ServiceKit
import Wire

/// JSON lines or a picture, written in large pieces to standard output or a file.
struct ReplayOutput {
    private var buffer: [UInt8] = []
    private let descriptor: Int32
    private let name: String
    /// A file gets its name when it is whole: what stands under the name is never half of something.
    private var temporary: TemporaryOutput?
    private static let piece = 1 << 16

    init() {
        descriptor = STDOUT_FILENO
        name = "standard output"
    }

    /// A new file, or an old one replaced at the end.
    init(path: String) throws(ReplayError) {
        name = path
        // What is no file (a pipe, /dev/null) is written to as it stands.
        var status = stat()
        let isOther = stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
        let file = isOther ? nil : TemporaryOutput(path: path)
        descriptor = open(file?.path ?? path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw ReplayError(message: "\(path): \(String(cString: strerror(errno)))", status: ReplayError.cannotCreate)
        }
        temporary = file
    }

    mutating func write(_ object: JSONObject) throws(ReplayError) {
        JSON.object(object).write(into: &buffer)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= ReplayOutput.piece { try flush() }
    }

    mutating func write(text: String) throws(ReplayError) {
        buffer.append(contentsOf: text.utf8)
        try flush()
    }

    mutating func flush() throws(ReplayError) {
        var offset = 0
        while offset < buffer.count {
            let written = buffer.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
            }
            if written > 0 {
                offset += written
            } else if errno != EINTR {
                let reason = String(cString: strerror(errno))
                throw ReplayError(message: "\(name): \(reason)", status: ReplayError.inputOutput)
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Writes the rest and closes a file.
    mutating func finish() throws(ReplayError) {
        try flush()
        if descriptor != STDOUT_FILENO { close(descriptor) }
        guard let temporary else { return }
        guard temporary.keep() else {
            throw ReplayError(message: "\(name): \(String(cString: strerror(errno)))", status: ReplayError.cannotCreate)
        }
    }
}

/// The name a file has until it is whole. Forgotten before that (a damaged recording, a full disk), it is removed.
private final class TemporaryOutput {
    let path: String
    private let target: String
    private var isKept = false

    init(path target: String) {
        self.target = target
        path = "\(target).\(getpid()).part"
    }

    func keep() -> Bool {
        isKept = rename(path, target) == 0
        return isKept
    }

    deinit {
        if !isKept { unlink(path) }
    }
}

/// A line on standard error each second, from the second second on.
struct ReplayProgress {
    private let began = SystemClock.monotonicMilliseconds()
    private var told: Int64 = 0

    mutating func tell(ticks: Int, _ now: Int64) {
        // The clock is looked at now and then, not for every tick.
        guard ticks % 4096 == 0 else { return }
        let seconds = (SystemClock.monotonicMilliseconds() - began) / 1000
        guard seconds > told else { return }
        told = seconds
        StandardError.write(line: "meshctl: \(ticks) ticks, at \(Timestamp(milliseconds: now))")
    }
}
