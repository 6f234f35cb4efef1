import Foundation
import Glibc

/// The token for actions over HTTP: 64 hexadecimal digits in a file that only its owner reads.
enum TokenFile {
    /// Makes one where there is none.
    static func ensure(_ path: String) throws(ToolError) {
        guard access(path, F_OK) != 0 else { return }
        try rotate(path)
    }

    static func rotate(_ path: String) throws(ToolError) {
        try PrivateFile.makeDirectory((path as NSString).deletingLastPathComponent)
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef")
        let token = (0..<64).map { _ in digits[Int(generator.next() & 15)] }
        try PrivateFile.write(String(token) + "\n", to: path)
    }

    /// What is wrong with the file, in words; nil where nothing is.
    static func problem(_ path: String) -> String? {
        var information = stat()
        guard stat(path, &information) == 0 else { return "there is none" }
        guard information.st_mode & 0o077 == 0 else { return "others than its owner may read it" }
        return nil
    }
}
