import Glibc
import Logging

/// A small file mapped into memory: writing it is a copy without a system call, and the kernel keeps it when the
/// process ends, whatever ends it. It promises nothing about a crash of the machine.
///
/// Owned by the loop's thread. Source: mmap(2), MAP_SHARED.
final class MappedMemory {
    /// Nil where the file can't be made: the owner goes on without.
    let base: UnsafeMutableRawPointer?
    private let bytes: Int

    /// - Parameter without: what is missing while there is none, for the log.
    init(path: String, bytes: Int, without loss: String, log: Logger) {
        self.bytes = bytes
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        // Blocks are there before they are needed: a full disk must not show as a fault while writing.
        var failure = descriptor < 0 ? errno : posix_fallocate(descriptor, 0, off_t(bytes))
        var place: UnsafeMutableRawPointer?
        if failure == 0 {
            place = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
            if place == MAP_FAILED { (place, failure) = (nil, errno) }
        }
        if descriptor >= 0 { close(descriptor) }
        base = place
        if place == nil {
            log.warning("no \(path): \(loss)", metadata: ["why": "\(String(cString: strerror(failure)))"])
        }
    }

    deinit {
        if let base { munmap(base, bytes) }
    }
}
