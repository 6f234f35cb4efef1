import Foundation
import Glibc

/// What a service wrote since a moment: the end of its log.
struct LogTail {
    let path: String
    private let start: UInt64

    /// Remembers where the log ends now.
    init(_ path: String) {
        self.path = path
        start = LogTail.size(path)
    }

    /// The last lines written since then, sanitised for a terminal.
    func lines(_ count: Int) -> [String] {
        guard let file = FileHandle(forReadingAtPath: path) else { return [] }
        let end = LogTail.size(path)
        // A log that became shorter was rotated meanwhile: all of it is new.
        let begin = end < start ? 0 : start
        let kept: UInt64 = 65_536
        let from = end - begin > kept ? end - kept : begin
        guard (try? file.seek(toOffset: from)) != nil, let data = try? file.readToEnd() else { return [] }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        return lines.suffix(count).map { TerminalText.sanitised($0) }
    }

    private static func size(_ path: String) -> UInt64 {
        var information = stat()
        return stat(path, &information) == 0 ? UInt64(max(0, information.st_size)) : 0
    }
}
