import Foundation
import Glibc

/// How wide lines may be.
enum Screen {
    static let usualWidth = 80

    /// Of the terminal; of `COLUMNS` where the output is none; else 80.
    static let width: Int = {
        var size = winsize()
        if isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            return Int(size.ws_col)
        }
        return width(columns: ProcessInfo.processInfo.environment["COLUMNS"])
    }()

    static func width(columns: String?) -> Int {
        columns.flatMap { Int($0) }.map { min(max($0, 20), 1000) } ?? usualWidth
    }

    /// A line of text, broken between words where it is too long; what follows is indented further.
    static func show(_ line: String, isWide: Bool) {
        guard !isWide, !line.contains("\u{1B}"), line.count > width else { return print(line) }
        let indent = String(line.prefix { $0 == " " }) + "    "
        let lines = wrapped(line, width: width - indent.count)
        for (index, text) in lines.enumerated() {
            print((index == 0 ? String(line.prefix { $0 == " " }) : indent) + text)
        }
    }

    /// A text in lines of at most so many characters, broken between words; a longer word stays whole.
    static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}

/// What keeps a person company while something takes longer than a second: on standard error, where that is a terminal.
enum Progress {
    static let isShown = isatty(STDERR_FILENO) == 1

    static func tell(_ text: String) {
        if isShown { StandardErrorLine.replace(text) }
    }

    /// Takes the line away again.
    static func end() {
        if isShown { StandardErrorLine.replace("") }
    }

    /// Does something long that tells of itself, and takes the line away however it ends.
    static func over<Result>(_ text: String, _ body: () throws -> Result) rethrows -> Result {
        tell(text)
        defer { end() }
        return try body()
    }

    /// For what is read record by record.
    static func records(of name: String) -> (UInt64) -> Void {
        { tell("\(name): \($0) records checked …") }
    }
}

private enum StandardErrorLine {
    static func replace(_ text: String) {
        let bytes = Array("\r\u{1B}[2K\(text)".utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
