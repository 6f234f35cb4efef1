import Foundation
import Glibc
import Testing
import Wire

@testable import MeshCtl

@Suite("HTTP without a library")
struct HTTPTests {
    @Test("An answer with a length, and one in chunks")
    func complete() throws {
        let plain = try #require(
            HTTPClient.parse(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: a:b\r\n\r\n{}rest".utf8)))
        #expect(plain.status == 200)
        #expect(plain.headers["x"] == "a:b")
        #expect(plain.body == Array("{}".utf8))
        let chunks = "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n3;x=y\r\n:1}\r\n0\r\n\r\n"
        let chunked = try #require(HTTPClient.parse(Array(chunks.utf8)))
        #expect(chunked.status == 503)
        #expect(chunked.json?.object?["a"]?.text == "1")
    }

    @Test("What is cut or no HTTP is no answer")
    func incomplete() {
        for text in [
            "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}", "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"a",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-4\r\nabcd\r\n",
        ] {
            #expect(HTTPClient.parse(Array(text.utf8)) == nil)
        }
    }

    @Test("Values of a query are encoded byte by byte")
    func encoding() {
        #expect(HTTPClient.encoded("a b&c=é/%") == "a%20b%26c%3D%C3%A9%2F%25")
        #expect(HTTPClient.encoded("AZaz09-._~") == "AZaz09-._~")
    }

    @Test("A GET over a real connection")
    func get() async throws {
        let port = try #require(PrivateMesh.freePorts(1).first)
        let listener = try #require(PrivateMesh.listener(port))
        Thread.detachNewThread {
            let peer = accept(listener, nil, nil)
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(peer, &buffer, buffer.count, 0)
            let target = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
            let body = "{\"target\":\"\(target.count > 1 ? target[1] : "none")\"}"
            let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
            _ = send(peer, answer, answer.count, Int32(MSG_NOSIGNAL))
            close(peer)
            close(listener)
        }
        let answer = try HTTPClient(port: port).get("/nodes", [("q", "a b")])
        #expect(answer.json?.object?["target"]?.text == "/nodes?q=a%20b")
    }

    @Test("Nobody there, somebody silent, and somebody who closes at once are named")
    func unreachable() throws {
        let port = try #require(PrivateMesh.freePorts(1).first)
        let refused = #expect(throws: ToolError.self) { try HTTPClient(port: port).get("/") }
        #expect(refused?.code == 69)
        #expect(refused?.message.contains("Connection refused") == true)
        let listener = try #require(PrivateMesh.listener(port))
        defer { close(listener) }
        let silent = #expect(throws: ToolError.self) { try HTTPClient(port: port, timeoutMilliseconds: 50).get("/") }
        #expect(silent?.code == 69)
    }
}
