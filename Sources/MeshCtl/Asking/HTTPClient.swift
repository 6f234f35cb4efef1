import Glibc
import ServiceKit
import Wire

/// A GET or a POST on this machine over a plain socket: what `meshctl` needs of HTTP/1.1 and no more. Source: RFC 9112.
struct HTTPClient {
    struct Answer: Equatable {
        var status: Int
        var headers: [String: String]
        var body: [UInt8]

        var json: JSON? { try? JSON(body) }
    }

    let port: Int
    var timeoutMilliseconds: Int64 = 3000

    static let maximumBytes = 64 << 20

    /// - Throws: ``ToolError`` with code `unavailable` and the reason.
    func get(_ path: String, _ parameters: [(String, String)] = []) throws(ToolError) -> Answer {
        let query = parameters.map { "\(HTTPClient.encoded($0.0))=\(HTTPClient.encoded($0.1))" }.joined(separator: "&")
        let target = query.isEmpty ? path : "\(path)?\(query)"
        return try exchange(
            "GET \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAccept: */*\r\nConnection: close\r\n\r\n")
    }

    /// - Parameter token: sent as `Authorization: Bearer …`.
    func post(_ path: String, _ body: JSONObject, token: String) throws(ToolError) -> Answer {
        let bytes = body.bytes
        let head =
            "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAccept: */*\r\nConnection: close\r\n"
            + "Authorization: Bearer \(token)\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(bytes.count)\r\n\r\n"
        return try exchange(head + String(decoding: bytes, as: UTF8.self))
    }

    private func exchange(_ request: String) throws(ToolError) -> Answer {
        let deadline = SystemClock.monotonicMilliseconds() + timeoutMilliseconds
        let descriptor = try connected(deadline)
        defer { close(descriptor) }
        try send(Array(request.utf8), on: descriptor, deadline)
        guard let answer = HTTPClient.parse(try receive(from: descriptor, deadline)) else {
            throw failure("what answers there does not speak HTTP")
        }
        return answer
    }

    /// One segment of a path or a value of a query. Source: RFC 3986, section 2.3.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    // MARK: - The socket

    private func failure(_ why: String) -> ToolError {
        ToolError(
            ExitStatus.unavailable,
            "the dashboard does not answer on 127.0.0.1:\(port) (\(why)): is the mesh running? ./start_all_services.sh")
    }

    private func connected(_ deadline: Int64) throws(ToolError) -> Int32 {
        let descriptor = LoopbackSocket.make()
        guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
        if let problem = LoopbackSocket.connect(descriptor, port: port, deadline: deadline) {
            close(descriptor)
            throw failure(problem)
        }
        return descriptor
    }

    private func send(_ bytes: [UInt8], on descriptor: Int32, _ deadline: Int64) throws(ToolError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EAGAIN && errno != EINTR {
                throw failure(String(cString: strerror(errno)))
            } else if !LoopbackSocket.wait(descriptor, for: POLLOUT, deadline) {
                throw failure("no answer within \(timeoutMilliseconds / 1000) s")
            }
        }
    }

    private func receive(from descriptor: Int32, _ deadline: Int64) throws(ToolError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < HTTPClient.maximumBytes {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count == 0 { return bytes }
            if count > 0 {
                bytes.append(contentsOf: chunk[..<count])
            } else if errno != EAGAIN && errno != EINTR {
                throw failure(String(cString: strerror(errno)))
            } else if !LoopbackSocket.wait(descriptor, for: POLLIN, deadline) {
                throw failure("no answer within \(timeoutMilliseconds / 1000) s")
            }
        }
        throw failure("its answer has no end")
    }
}
