import Domain
import ServiceKit
import TestKit
import Testing
import Wire
import ZeroMQ

@Suite("A request port") struct RequestServerTests {
    let loop = Loop()
    let context: ZMQContext
    let endpoint: String
    let server: RequestServer

    init() throws {
        context = try ZMQContext()
        endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
        let answering = Box<RequestServer?>(nil)
        server = try RequestServer(
            context: context, endpoint: endpoint, reactor: loop.reactor, report: loop.report
        ) { request in
            if request.type == "fail" { throw ConditionNotMet(description: "broken inside") }
            if request.type == "refuse" { return answering.value?.fail(request, "no_slot", "close one") ?? () }
            answering.value?.reply(request, ["type": .text(request.type), "echo": request.object["value"] ?? .null])
        }
        answering.value = server
    }

    /// Sends frames and runs the loop until their answer is there.
    private func ask(_ client: Client, _ frames: [[UInt8]], within seconds: Double = 3) throws -> [[UInt8]] {
        try client.send(frames)
        let answer = Box<[[UInt8]]?>(nil)
        try loop.run("an answer", within: seconds) {
            answer.value = (try? client.receive(within: 0)) ?? nil
            return answer.value != nil
        }
        return try #require(answer.value)
    }

    private func ask(_ client: Client, _ text: String) throws -> JSONObject {
        try object(try ask(client, [Array(text.utf8)]))
    }

    private func object(_ frames: [[UInt8]]) throws -> JSONObject {
        let payload = try #require(frames.last)
        return try #require(try JSON(payload).object)
    }

    private func code(_ reply: JSONObject) -> String? { reply["error"]?.object?["code"]?.text }

    private func client(delimiter: Bool = false) throws -> Client {
        try Client(context, endpoint, usesDelimiter: delimiter)
    }

    @Test func aDealerIsAnsweredInTheFormItAskedIn() throws {
        let bare = try ask(try client(), [Array(#"{"type":"Ping","value":7}"#.utf8)])
        #expect(bare.count == 1)
        #expect(String(decoding: bare[0], as: UTF8.self) == #"{"ok":true,"type":"ping","echo":7}"#)
        let delimited = try ask(try client(delimiter: true), [Array(#"{"type":"ping"}"#.utf8)])
        #expect(delimited.count == 2 && delimited[0].isEmpty)
    }

    @Test func aREQSocketIsServed() throws {
        let socket = try ZMQSocket(context, .request, SocketOptions().with { $0.linger = 0 })
        try socket.connect(endpoint)
        let message = ZMQMessage()
        for number in 1...3 {
            _ = try socket.send(#"{"type":"ping","value":\#(number)}"#)
            let answer = Box("")
            let deadline = SystemClock.monotonicMilliseconds() + 3000
            while answer.value.isEmpty, SystemClock.monotonicMilliseconds() < deadline {
                try loop.run(milliseconds: 2)
                if try socket.receive(message) { answer.value = String(decoding: message.copyBytes(), as: UTF8.self) }
            }
            #expect(answer.value == #"{"ok":true,"type":"ping","echo":\#(number)}"#)
        }
    }

    /// A REQ with ZMQ_REQ_CORRELATE puts its number ahead of the delimiter and wants both back.
    @Test func anEnvelopeOfMoreFramesComesBackWhole() throws {
        let client = try client()
        let reply = try ask(client, [[7, 0, 0, 1], [], Array(#"{"type":"ping"}"#.utf8)])
        #expect(reply.count == 3 && reply[0] == [7, 0, 0, 1] && reply[1].isEmpty)
        #expect(try object(reply)["ok"] == .bool(true))
        let refused = try ask(client, [[7, 0, 0, 2], [], Array("{}".utf8), Array("{}".utf8)])
        #expect(refused.prefix(2) == [[7, 0, 0, 2], []])
        #expect(code(try object(refused)) == "bad_request")
    }

    @Test(arguments: ["\"abc\"", "17", "null", "{\"a\":[1,2]}", "1.50", "true"])
    func theRequestIdComesBackAsItCame(identifier: String) throws {
        let reply = try ask(try client(), #"{"type":"ping","request_id":\#(identifier)}"#)
        #expect(reply["request_id"] == (try JSON(identifier)))
        let refusal = try ask(try client(), #"{"type":"refuse","request_id":\#(identifier)}"#)
        #expect(refusal["request_id"] == (try JSON(identifier)))
        #expect(refusal["ok"] == .bool(false))
        #expect(code(refusal) == "no_slot")
    }

    @Test(arguments: [
        ("", "empty_frame"), ("not json", "not_json"), ("{\"type\":", "not_json"), ("[1,2]", "not_an_object"),
        ("\"text\"", "not_an_object"), ("{\"a\":NaN}", "not_json"), ("{\"a\":01}", "not_json"),
        ("{\"type\":\"ping\"} trailing", "not_json"), ("\0\0\0", "not_json"),
    ])
    func whatCantBeReadIsAnsweredBadRequestAndCounted(text: String, reason: String) throws {
        for delimiter in [false, true] {
            let client = try client(delimiter: delimiter)
            let before = loop.report.rejected[reason] ?? 0
            let reply = try ask(client, text)
            #expect(reply["ok"] == .bool(false))
            #expect(code(reply) == "bad_request")
            #expect(reply["error"]?.object?["message"]?.text?.isEmpty == false)
            #expect(loop.report.rejected[reason] == before + 1, "\(loop.report.rejected)")
            #expect(try ask(client, #"{"type":"ping"}"#)["ok"] == .bool(true), "the next one is served")
        }
    }

    @Test(arguments: [17, 1000, 10_000])
    func deepNestingIsRefusedWithoutHarm(depth: Int) throws {
        let text = String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
        #expect(code(try ask(try client(), text)) == "bad_request")
        #expect(code(try ask(try client(), String(repeating: "[", count: depth))) == "bad_request")
        #expect((loop.report.rejected["too_deep"] ?? 0) >= 1, "\(loop.report.rejected)")
    }

    @Test(arguments: [2, 3, 15, 40, 500])
    func manyFramesAreOneBadRequest(count: Int) throws {
        let client = try client()
        let reply = try ask(client, [[UInt8]](repeating: Array("{}".utf8), count: count))
        #expect(code(try object(reply)) == "bad_request")
        #expect(loop.report.rejected["frame_count"] == 1, "\(loop.report.rejected)")
        #expect(try ask(client, #"{"type":"ping"}"#)["ok"] == .bool(true))
    }

    @Test func randomBytesAreAlwaysAnswered() throws {
        var generator = SeededGenerator(seed: 1_121, for: "random requests")
        let client = try client()
        for _ in 0..<300 {
            let bytes = generator.bytes(Int.random(in: 1...200, using: &generator))
            let frames = try ask(client, [bytes])
            #expect(try object(frames)["ok"] == .bool(false))
        }
        #expect(loop.report.rejected.values.reduce(0, +) == 300)
    }

    @Test func aMegabyteCostsItsSenderTheConnectionAndNobodyElseAnything() throws {
        let honest = try client()
        #expect(try ask(honest, #"{"type":"ping"}"#)["ok"] == .bool(true))
        let hostile = try client()
        try hostile.send([[UInt8](repeating: 0x20, count: 1024 * 1024)])
        try loop.run(milliseconds: 200)
        #expect(try hostile.receive(within: 0) == nil)
        #expect(try ask(honest, #"{"type":"ping"}"#)["ok"] == .bool(true))
        // The client reconnects by itself and is served as anybody.
        #expect(try ask(hostile, #"{"type":"ping"}"#)["ok"] == .bool(true))
    }

    @Test func aClientThatLeftIsCountedAndHoldsNobodyUp() throws {
        do {
            let gone = try client()
            for _ in 0..<20 { try gone.send([Array(#"{"type":"ping"}"#.utf8)]) }
            try eventually("the requests are on their way") { try gone.receive(within: 0.05) == nil }
        }
        let honest = try client()
        #expect(try ask(honest, #"{"type":"ping"}"#)["ok"] == .bool(true))
        #expect(loop.report.counters["requests"] ?? 0 >= 1)
    }

    @Test func anErrorInsideIsAnAnswerAndNotTheEnd() throws {
        let client = try client()
        #expect(code(try ask(client, #"{"type":"fail"}"#)) == "internal_error")
        #expect(try ask(client, #"{"type":"ping"}"#)["ok"] == .bool(true))
        #expect(loop.report.rejected["internal_error"] == 1)
    }

    @Test func aTakenPortIsAnErrorThatNamesIt() throws {
        let error = #expect(throws: ZMQError.self) {
            _ = try RequestServer(
                context: context, endpoint: endpoint, reactor: loop.reactor, report: loop.report
            ) { _ in }
        }
        #expect(error?.code == .addressInUse && error?.subject == endpoint)
    }
}
