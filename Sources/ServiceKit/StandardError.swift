import Glibc

/// Whole lines on standard error. A full pipe is waited for; a closed one is given up.
public enum StandardError {
    public static func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let written = Glibc.write(2, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
                if written > 0 {
                    offset += written
                } else if errno != EINTR {
                    return
                }
            }
        }
    }

    public static func write(line: String) { write(Array("\(line)\n".utf8)) }
}
