import Glibc
import Redis
import TestKit
import Testing

@Suite("A connection to Redis", .enabled(if: RedisServer.isInstalled)) struct ConnectionTests {
    let server: RedisServer
    let connection: RedisConnection

    init() throws {
        server = try RedisServer()
        connection = RedisConnection(server.address)
    }

    @Test func aPipelineIsAnsweredInItsOrder() throws {
        let commands = (0..<2000).map { ["INCRBY", "counter", String($0)] }
        let replies = try connection.call(pipeline: commands)
        var sum: Int64 = 0
        for (index, reply) in replies.enumerated() {
            sum += Int64(index)
            #expect(reply == .integer(sum))
        }
        #expect(replies.count == 2000)
    }

    @Test func everyKindOfReplyIsAValue() throws {
        let replies = try connection.call(pipeline: [
            ["SET", "text", "v"], ["GET", "text"], ["GET", "absent"], ["HSET", "hash", "a", "1", "b", "2"],
            ["HGETALL", "hash"], ["LRANGE", "absent", "0", "-1"], ["PING"], ["INCR", "n"], ["ECHO", "17"],
            ["EVAL", "return {1,{2,'x',false}}", "0"],
        ])
        #expect(replies[0] == .status("OK"))
        #expect(replies[1].text == "v")
        #expect(replies[2] == .null)
        #expect(replies[3].integer == 2)
        #expect(replies[4].dictionary == ["a": "1", "b": "2"])
        #expect(replies[5] == .array([]))
        #expect(replies[6].text == "PONG")
        #expect(replies[7] == .integer(1))
        #expect(replies[8].integer == 17)
        #expect(replies[9] == .array([.integer(1), .array([.integer(2), .string(Array("x".utf8)), .null])]))
    }

    @Test func anErrorReplyIsDataAndTheConnectionLivesOn() throws {
        let replies = try connection.call(pipeline: [
            ["SET", "text", "v"], ["INCR", "text"], ["HGET", "text", "f"], ["NOSUCHCOMMAND"], ["GET", "text"],
        ])
        #expect(replies[1].errorMessage?.hasPrefix("ERR value is not an integer") == true)
        #expect(replies[2].errorMessage?.hasPrefix("WRONGTYPE") == true)
        #expect(replies[3].errorMessage?.contains("unknown command") == true)
        #expect(replies[4].text == "v")
        #expect(connection.isOpen)
    }

    @Test func argumentsAreBytesAndNeverSyntax() throws {
        var generator = SeededGenerator(seed: 77, for: "Redis arguments")
        let hard = [
            "", " ", "\0", "a\0b", "\r\n*1\r\n$8\r\nFLUSHALL\r\n", "%n%s%b%d", "*?[a-z]", "'\"\\", "äöü 日本語 🦊",
            String(repeating: "x", count: 100_000),
        ]
        let random = (0..<200).map { _ in
            String(
                String.UnicodeScalarView(
                    (0..<20).map { _ in Unicode.Scalar(UInt8.random(in: 0...255, using: &generator)) }))
        }
        for text in hard + random {
            let replies = try connection.call(pipeline: [["SET", text, text], ["GET", text], ["STRLEN", text]])
            #expect(replies[1].text == text)
            #expect(replies[2].integer == Int64(text.utf8.count))
        }
        #expect(try connection.call(["DBSIZE"]).integer == Int64(Set(hard + random).count))
    }

    @Test func aLostConnectionTellsEveryCallerOnce() throws {
        try connection.open()
        try connection.drain(milliseconds: 1000)
        var answers = [Int](repeating: 0, count: 50)
        var values: [RedisValue?] = []
        server.pause()
        for index in answers.indices {
            connection.send(["INCR", "counter"]) { reply in
                answers[index] += 1
                values.append(reply)
            }
        }
        try connection.flush()
        try server.kill()
        #expect(throws: RedisConnectionError.self) { try connection.drain(milliseconds: 3000) }
        #expect(answers == [Int](repeating: 1, count: 50))
        #expect(values.count == 50 && values.allSatisfy { $0 == nil })
        #expect(!connection.isOpen && connection.outstanding == 0 && connection.descriptor == -1)
        // While closed a caller hears at once.
        var late = 0
        connection.send(["PING"]) { late += $0 == nil ? 1 : 100 }
        #expect(late == 1)
        try server.start()
        #expect(try connection.call(["PING"]).text == "PONG")
        #expect(answers == [Int](repeating: 1, count: 50), "nobody is called again by the new connection")
    }

    @Test func whatWasAcknowledgedSurvivesACrash() throws {
        let replies = try connection.call(pipeline: (0..<100).map { ["RPUSH", "trades", String($0)] })
        #expect(replies.last?.integer == 100)
        try server.kill()
        connection.close()
        try server.start()
        #expect(try connection.call(["LRANGE", "trades", "0", "-1"]).texts == (0..<100).map { String($0) })
    }

    @Test func aCompletionMayCloseTheConnection() throws {
        try connection.open()
        var heard: [String?] = []
        connection.send(["ECHO", "first"]) { [connection] reply in
            heard.append(reply?.text)
            connection.close()
        }
        connection.send(["ECHO", "second"]) { heard.append($0?.text) }
        #expect(throws: RedisConnectionError.self) { try connection.drain(milliseconds: 1000) }
        #expect(heard == ["first", nil])
    }

    @Test func aRedisThatIsSilentIsATimeoutNotAWaitWithoutEnd() throws {
        _ = try connection.call(["PING"])
        server.pause()
        let error = #expect(throws: RedisConnectionError.self) { _ = try connection.call(["PING"], milliseconds: 100) }
        #expect(error?.code == .timeout)
        server.resume()
    }

    @Test func aRedisThatDiedIsAnErrorAndNotTheEndOfThisProcess() throws {
        let before = signal(SIGPIPE, SIG_DFL)
        defer { signal(SIGPIPE, before) }
        _ = try connection.call(["PING"])
        try server.kill()
        var answers: [Bool] = []
        // The first write is answered by a reset, the next one meets a broken pipe.
        let error = #expect(throws: RedisConnectionError.self) {
            for _ in 0..<1000 {
                connection.send(["PING"]) { answers.append($0 != nil) }
                try connection.flush()
            }
        }
        #expect(error?.code == .output)
        #expect(!connection.isOpen && !answers.isEmpty && !answers.contains(true))
    }

    @Test func aPipelineLargerThanTheKernelsBufferLeavesInParts() throws {
        let large = String(repeating: "x", count: 8 << 20)
        let replies = try connection.call(pipeline: [["SET", "a", large], ["SET", "b", large], ["STRLEN", "b"]])
        #expect(replies.last == .integer(8 << 20))
    }

    @Test func nobodyListeningIsAnErrorWithTheAddress() throws {
        let nobody = RedisConnection(RedisAddress(host: "127.0.0.1", port: try FreePorts.next()))
        #expect(throws: RedisConnectionError.self) { _ = try nobody.call(["PING"], milliseconds: 1000) }
        #expect(!nobody.isOpen)
    }

    @Test func aDatabaseNumberIsSelectedAheadOfEverything() throws {
        var address = server.address
        address.database = 3
        let other = RedisConnection(address)
        _ = try other.call(["SET", "here", "1"])
        #expect(try connection.call(["EXISTS", "here"]) == .integer(0))
        #expect(try connection.call(["INFO", "keyspace"]).text?.contains("db3:keys=1") == true)
    }

    @Test func aPasswordIsGivenAheadOfEverything() throws {
        let guarded = try RedisServer()
        try guarded.call("CONFIG", "SET", "requirepass", "secret")
        let stranger = RedisConnection(guarded.address)
        #expect(try stranger.call(["GET", "x"]).errorMessage?.hasPrefix("NOAUTH") == true)
        var address = guarded.address
        address.password = "secret"
        let known = RedisConnection(address)
        #expect(try known.call(["SET", "x", "1"]) == .status("OK"))
    }
}
