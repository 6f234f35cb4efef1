/// On which TCP ports of this machine somebody listens. Source: proc(5), /proc/net/tcp and tcp6.
enum PortProbe {
    static func listening() -> Set<Int> {
        var ports: Set<Int> = []
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            collect(ProcFile.bytes(path), into: &ports)
        }
        return ports
    }

    /// Rows: `sl: local_address:port rem_address:port st …`; the state 0A listens. Thousands of rows are connections,
    /// so the bytes are walked without making texts of them.
    static func collect(_ bytes: [UInt8], into ports: inout Set<Int>) {
        var index = 0
        while index < bytes.count {
            let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            if let port = listeningPort(bytes[index..<end]) { ports.insert(port) }
            index = end + 1
        }
    }

    private static func listeningPort(_ row: ArraySlice<UInt8>) -> Int? {
        var words = row.split(separator: UInt8(ascii: " "), maxSplits: 4, omittingEmptySubsequences: true)[...]
        guard words.count >= 4, words.popFirst()?.last == UInt8(ascii: ":"), let local = words.popFirst(),
            words.popFirst() != nil, let state = words.popFirst(), state.elementsEqual("0A".utf8),
            let colon = local.lastIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return Int(String(decoding: local[(colon + 1)...], as: UTF8.self), radix: 16)
    }
}
