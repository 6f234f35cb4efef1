import Glibc

/// Lines on standard output.
enum Output {
    static func show(_ lines: [String]) { for line in lines { print(line) } }

    /// The same, with long lines broken between words.
    static func show(_ lines: [String], isWide: Bool) {
        for line in lines { Screen.show(line, isWide: isWide) }
    }

    /// A line that leaves at once, for what runs on and on.
    /// - Returns: false when nobody reads any more.
    static func write(line: String) -> Bool {
        let bytes = Array("\(line)\n".utf8)
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(STDOUT_FILENO, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
            }
            if count > 0 { offset += count } else if errno != EINTR { return false }
        }
        return true
    }
}
