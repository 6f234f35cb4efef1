import Foundation
import Glibc

/// The few file operations supervision needs, with errors an operator can read.
enum Files {
    static func bytes(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? result : nil }
            result.append(contentsOf: chunk[..<count])
        }
    }

    static func text(_ path: String) -> String? {
        bytes(path).map { String(decoding: $0, as: UTF8.self) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func makeDirectory(_ path: String, mode: mode_t) throws(SupervisionError) {
        var parents: [String] = []
        var current = path
        while !exists(current), current.count > 1 {
            parents.append(current)
            current = (current as NSString).deletingLastPathComponent
        }
        for directory in parents.reversed() where mkdir(directory, mode) != 0 && errno != EEXIST {
            throw .file("create the directory", directory, errno: errno)
        }
        var information = stat()
        guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFDIR else {
            throw .file("use the directory", path, errno: ENOTDIR)
        }
        guard access(path, W_OK | X_OK) == 0 else { throw .file("write in", path, errno: errno) }
    }

    /// Writes beside the file and renames, so that a reader or an executing shell sees the old or the new one.
    /// - Returns: false when the file already held exactly this.
    @discardableResult
    static func write(_ text: String, to path: String, mode: mode_t) throws(SupervisionError) -> Bool {
        let wanted = Array(text.utf8)
        if bytes(path) == wanted, chmod(path, mode) == 0 { return false }
        let temporary = path + ".new"
        try append(wanted, to: temporary, flags: O_TRUNC, mode: mode)
        guard chmod(temporary, mode) == 0, rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            throw .file("write", path, errno: number)
        }
        return true
    }

    static func append(_ bytes: [UInt8], to path: String, flags: Int32 = O_APPEND, mode: mode_t)
        throws(SupervisionError)
    {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode)
        guard descriptor >= 0 else { throw .file("write", path, errno: errno) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .file("write", path, errno: errno) }
            rest = rest.dropFirst(count)
        }
    }

    static func remove(_ path: String) throws(SupervisionError) {
        guard unlink(path) != 0, errno != ENOENT else { return }
        throw .file("remove", path, errno: errno)
    }

    /// Makes `path` a symbolic link to `target`; refuses to replace anything that isn't a link.
    static func link(_ path: String, to target: String) throws(SupervisionError) {
        var information = stat()
        if lstat(path, &information) == 0 {
            guard information.st_mode & S_IFMT == S_IFLNK else {
                throw SupervisionError(.fileFailed, "\(path) is in the way: it is not a link of ours, move it aside")
            }
            if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == target { return }
            try remove(path)
        }
        guard symlink(target, path) == 0 else { throw .file("link", path, errno: errno) }
    }

    static func openDescriptors() -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.compactMap { Int32($0) }
    }

    /// The program on PATH or in the system's directories.
    static func program(_ name: String, package: String) throws(SupervisionError) -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        for directory in path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
        where directory.hasPrefix("/") {
            let candidate = "\(directory)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw SupervisionError(
            .programMissing, "\(name) is not installed: sudo apt-get install -y --no-install-recommends \(package)")
    }
}
