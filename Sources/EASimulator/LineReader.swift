import Glibc

/// Lines of a file, plain or gzip; a compressed one comes through a `gzip -dc` child. One thread owns it.
final class LineReader {
    private let path: String
    private var descriptor: Int32 = -1
    private var child: pid_t = 0
    private var buffer: [UInt8] = []
    private var position = 0

    init(path: String) throws(SimulatorError) {
        self.path = path
        try open()
    }

    deinit { close() }

    /// Back to the first line.
    func rewind() throws(SimulatorError) {
        close()
        try open()
    }

    /// The next line without its end, or nil at the end of the file.
    func next() -> ArraySlice<UInt8>? {
        while true {
            if let end = buffer[position...].firstIndex(of: 0x0A) {
                defer { position = end + 1 }
                return buffer[position..<end]
            }
            guard fill() else {
                guard position < buffer.count else { return nil }
                defer { position = buffer.count }
                return buffer[position...]
            }
        }
    }

    private func fill() -> Bool {
        buffer.removeFirst(position)
        position = 0
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            buffer.append(contentsOf: chunk[0..<count])
            return true
        }
    }

    private func open() throws(SimulatorError) {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SimulatorError("\(path): \(String(cString: strerror(errno)))") }
        guard path.hasSuffix(".gz") else {
            descriptor = file
            return
        }
        defer { _ = Glibc.close(file) }
        try decompress(file)
    }

    private func decompress(_ file: Int32) throws(SimulatorError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SimulatorError("pipe: \(String(cString: strerror(errno)))") }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, file, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The child must not inherit that SIGTERM is held back and SIGPIPE ignored here.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var nothing = sigset_t()
        sigemptyset(&nothing)
        posix_spawnattr_setsigmask(&attributes, &nothing)
        var brokenPipe = sigset_t()
        sigemptyset(&brokenPipe)
        sigaddset(&brokenPipe, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &brokenPipe)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("gzip"), strdup("-dc"), nil]
        defer { arguments.forEach { free($0) } }
        let result = posix_spawnp(&child, "gzip", &actions, &attributes, &arguments, environ)
        _ = Glibc.close(ends[1])
        guard result == 0 else {
            _ = Glibc.close(ends[0])
            child = 0
            throw SimulatorError("gzip: \(String(cString: strerror(result)))")
        }
        descriptor = ends[0]
    }

    private func close() {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
        buffer = []
        position = 0
        guard child > 0 else { return }
        // Its pipe is gone, so it ends by itself at its next write.
        var status: Int32 = 0
        while waitpid(child, &status, 0) == -1 && errno == EINTR {}
        child = 0
    }
}
