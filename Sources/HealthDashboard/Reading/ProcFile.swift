import Glibc

/// Reads files of /proc: they have no size, and one read gives a page of them at most, so that
/// `FileManager.contents(atPath:)` stops in the middle of a long one. Source: proc(5).
enum ProcFile {
    /// - Returns: everything; empty where the file can't be read.
    static func bytes(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return all }
            all.append(contentsOf: chunk[..<count])
        }
    }

    static func text(_ path: String) -> String { String(decoding: bytes(path), as: UTF8.self) }
}
