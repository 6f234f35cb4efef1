import Foundation
import Glibc
import ServiceKit

/// Files that only their owner may read.
enum PrivateFile {
    /// Writes beside the file and renames, so that a reader sees the old or the new one.
    static func write(_ text: String, to path: String) throws(ToolError) {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(temporary) }
        let bytes = Array(text.utf8)
        let written = Glibc.write(descriptor, bytes, bytes.count)
        close(descriptor)
        guard written == bytes.count, rename(temporary, path) == 0 else { throw failure(path) }
    }

    /// Makes a directory with its parents; an existing one is good.
    static func makeDirectory(_ path: String, mode: Int = 0o750) throws(ToolError) {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue {
            throw ToolError(ExitStatus.cannotCreate, "\(path) is in the way: a directory belongs there")
        }
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
        } catch {
            throw ToolError(ExitStatus.noPermission, "cannot create the directory \(path): \(reason(error))")
        }
        guard access(path, W_OK | X_OK) == 0 else { throw failure(path) }
    }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        guard let underlying, underlying.domain == NSPOSIXErrorDomain else { return error.localizedDescription }
        return String(cString: strerror(Int32(underlying.code)))
    }

    private static func failure(_ path: String) -> ToolError {
        let number = errno
        let isDenied = number == EACCES || number == EPERM || number == EROFS
        return ToolError(
            isDenied ? ExitStatus.noPermission : ExitStatus.cannotCreate,
            "cannot write \(path): \(String(cString: strerror(number)))")
    }
}
