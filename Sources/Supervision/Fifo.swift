import Glibc

/// runsv's named pipes `supervise/ok` and `supervise/control` (runsv(8)): they have a reader exactly while it lives.
enum Fifo {
    static func isRead(_ path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }

    /// - Returns: false when nobody reads the pipe.
    static func send(_ character: Character, to path: String) throws(SupervisionError) -> Bool {
        guard let byte = character.asciiValue else { return false }
        let descriptor = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENXIO || errno == ENOENT { return false }
            throw .file("write to", path, errno: errno)
        }
        defer { close(descriptor) }
        return withUnsafeBytes(of: byte) { write(descriptor, $0.baseAddress, 1) } == 1
    }
}
