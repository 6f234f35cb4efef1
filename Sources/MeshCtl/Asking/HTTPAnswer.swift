/// Reading an answer of HTTP/1.1 that ended with its connection.
extension HTTPClient {
    /// Nil where the bytes are no complete answer.
    static func parse(_ bytes: [UInt8]) -> Answer? {
        let separator = Array("\r\n\r\n".utf8)
        guard let end = position(of: separator, in: bytes, from: 0) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...]
            headers[line[..<colon].lowercased()] = String(value.drop { $0 == " " || $0 == "\t" })
        }
        let rest = bytes[(end + separator.count)...]
        if headers["transfer-encoding"]?.lowercased() == "chunked" {
            return unchunked(Array(rest)).map { Answer(status: status, headers: headers, body: $0) }
        }
        guard let length = headers["content-length"] else {
            return Answer(status: status, headers: headers, body: Array(rest))
        }
        guard let count = Int(length), count >= 0, rest.count >= count else { return nil }
        return Answer(status: status, headers: headers, body: Array(rest.prefix(count)))
    }

    /// Source: RFC 9112, section 7.1.
    private static func unchunked(_ bytes: [UInt8]) -> [UInt8]? {
        var body: [UInt8] = []
        var index = 0
        let lineEnd: [UInt8] = [0x0D, 0x0A]
        while let end = position(of: lineEnd, in: bytes, from: index) {
            let head = String(decoding: bytes[index..<end], as: UTF8.self).prefix { $0 != ";" }
            guard let count = Int(head, radix: 16), count >= 0, count <= bytes.count else { return nil }
            index = end + 2
            if count == 0 { return body }
            guard index + count + 2 <= bytes.count else { return nil }
            body.append(contentsOf: bytes[index..<(index + count)])
            index += count + 2
        }
        return nil
    }

    private static func position(of needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        var index = start
        while index + needle.count <= bytes.count {
            if bytes[index] == needle[0], bytes[index..<(index + needle.count)].elementsEqual(needle) { return index }
            index += 1
        }
        return nil
    }
}
