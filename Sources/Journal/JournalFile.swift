import Glibc

/// One open file, closed in `deinit` on every path. Source: open(2), pread(2), pwrite(2), fdatasync(2).
final class JournalFile: Sendable {
    let path: String
    let descriptor: Int32

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    static func open(_ path: String, flags: Int32) throws(JournalError) -> JournalFile {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw JournalError(errno: errno, operation: "open", path: path) }
        return JournalFile(path: path, descriptor: descriptor)
    }

    private func failure(_ operation: String) -> JournalError {
        JournalError(errno: errno, operation: operation, path: path)
    }

    func status() throws(JournalError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("fstat") }
        return status
    }

    func size() throws(JournalError) -> Int { Int(try status().st_size) }

    /// Up to `count` bytes; fewer only where the file ends.
    func read(at offset: Int, count: Int) throws(JournalError) -> [UInt8] {
        var done = 0
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while done < count {
                let part = pread(descriptor, buffer.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
                if part < 0 && errno == EINTR { continue }
                failed = part < 0
                if part <= 0 { break }
                done += part
            }
            initialized = done
        }
        if failed { throw failure("pread") }
        return bytes
    }

    /// All bytes or an error; after an error the same call may be repeated.
    func write(_ bytes: [UInt8], at offset: Int) throws(JournalError) {
        let complete = bytes.withUnsafeBytes { buffer -> Bool in
            var done = 0
            while done < buffer.count {
                let base = buffer.baseAddress?.advanced(by: done)
                let part = pwrite(descriptor, base, buffer.count - done, off_t(offset + done))
                if part > 0 {
                    done += part
                } else if part == 0 || errno != EINTR {
                    return false
                }
            }
            return true
        }
        guard complete else { throw failure("pwrite") }
    }

    func synchronize() throws(JournalError) {
        while fdatasync(descriptor) != 0 {
            if errno != EINTR { throw failure("fdatasync") }
        }
    }

    func truncate(to size: Int) throws(JournalError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw failure("ftruncate") }
    }

    /// Takes an exclusive lock that ends with the process.
    func lock(directory: String) throws(JournalError) {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code: JournalError.Code = errno == EWOULDBLOCK ? .locked : .other
            throw JournalError(errno: errno, operation: "flock", path: directory, code: code)
        }
    }
}

/// The folder with a journal's segments.
struct JournalDirectory {
    let path: String

    func path(of name: String) -> String { path + "/" + name }

    /// Makes it where it is missing, with the folders above it.
    func create() throws(JournalError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += made.isEmpty || made.hasSuffix("/") ? String(part) : "/" + part
            guard mkdir(made, 0o750) == 0 || errno == EEXIST else {
                throw JournalError(errno: errno, operation: "mkdir", path: made)
            }
        }
    }

    /// The names in the folder, in no order.
    func names() throws(JournalError) -> [String] {
        guard let handle = opendir(path) else { throw JournalError(errno: errno, operation: "opendir", path: path) }
        defer { closedir(handle) }
        var found: [String] = []
        while let entry = readdir(handle) {
            found.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                    String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return found
    }

    /// Removes a file; one that is not there is good.
    func remove(_ name: String) throws(JournalError) {
        guard unlink(path(of: name)) == 0 || errno == ENOENT else {
            throw JournalError(errno: errno, operation: "unlink", path: path(of: name))
        }
    }

    /// Gives a file of the folder another name, durably.
    func rename(_ name: String, to other: String) throws(JournalError) {
        guard Glibc.rename(path(of: name), path(of: other)) == 0 else {
            throw JournalError(errno: errno, operation: "rename", path: path(of: name))
        }
    }

    /// Makes new names durable. Source: fsync(2), notes on directories.
    func synchronize() throws(JournalError) {
        let folder = try JournalFile.open(path, flags: O_RDONLY | O_DIRECTORY)
        guard fsync(folder.descriptor) == 0 else { throw JournalError(errno: errno, operation: "fsync", path: path) }
    }
}
