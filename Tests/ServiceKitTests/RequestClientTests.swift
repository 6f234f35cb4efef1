import ServiceKit
import TestKit
import Testing
import Wire
import ZeroMQ

@Suite("A client of a request port") struct RequestClientTests {
    let loop = Loop()
    let context: ZMQContext
    let endpoint: String

    init() throws {
        context = try ZMQContext()
        endpoint = "tcp://127.0.0.1:\(try FreePorts.next())"
    }

    private func client() throws -> RequestClient {
        try RequestClient(context: context, endpoint: endpoint, reactor: loop.reactor, report: loop.report)
    }

    private func server(_ handler: @escaping (RequestServer?, Request) -> Void) throws -> RequestServer {
        let box = Box<RequestServer?>(nil)
        let server = try RequestServer(
            context: context, endpoint: endpoint, reactor: loop.reactor, report: loop.report
        ) { [weak box] in handler(box?.value, $0) }
        box.value = server
        keep.value.append(box)
        return server
    }

    private let keep = Box<[Box<RequestServer?>]>([])

    @Test func manyRequestsUnderWayGetTheirOwnAnswers() throws {
        // Answered in reverse order: replies are told apart by their request_id.
        let waiting = Box<[Request]>([])
        let server = try server { server, request in
            waiting.value.append(request)
            guard waiting.value.count == 50 else { return }
            for request in waiting.value.reversed() { server?.reply(request, ["n": request.object["n"] ?? .null]) }
        }
        let client = try client()
        let answers = Box<[Int: String?]>([:])
        for number in 0..<50 {
            client.send(["type": .string("echo"), "n": .integer(number)], timeout: 3000) {
                answers.value[number] = $0?["n"]?.text
            }
        }
        #expect(client.outstanding == 50)
        try loop.run("all answers") { answers.value.count == 50 }
        for number in 0..<50 { #expect(answers.value[number] == String(number)) }
        #expect(client.outstanding == 0)
        withExtendedLifetime(server) {}
    }

    @Test func noAnswerInTimeIsNothingOnce() throws {
        let client = try client()
        let heard = Box<[JSONObject?]>([])
        client.send(["type": .string("ping")], timeout: 50) { heard.value.append($0) }
        try loop.run("the end of waiting") { !heard.value.isEmpty }
        #expect(heard.value.count == 1 && heard.value.allSatisfy { $0 == nil })
        #expect(loop.report.counters["requests_timed_out"] == 1)
        // A late answer reaches nobody.
        let server = try server { server, request in server?.reply(request, [:]) }
        try loop.run(milliseconds: 300)
        #expect(heard.value.count == 1)
        withExtendedLifetime(server) {}
    }

    /// Past libzmq's mark a send is refused at once: that must not become a loop that nothing else gets out of.
    @Test func aServerThatStaysAwayHoldsNobodyUp() throws {
        let client = try client()
        for number in 0..<3000 { client.sendReliably(["type": .string("register"), "n": .integer(number)]) }
        let beats = Box(0)
        loop.reactor.every(milliseconds: 10) { beats.value += 1 }
        try loop.run(milliseconds: 8000)
        #expect(beats.value > 400, "\(beats.value) beats of 10 ms in 8 s")
        #expect(client.undelivered == 3000)
    }

    @Test func reliableRequestsWaitForAServerThatStartsLater() throws {
        let client = try client()
        let answered = Box(0)
        for number in 0..<300 {
            client.sendReliably(["type": .string("register"), "n": .integer(number)]) { _ in answered.value += 1 }
        }
        try loop.run(milliseconds: 200)
        #expect(answered.value == 0 && client.undelivered == 300)
        let seen = Box<Set<String>>([])
        let server = try server { server, request in
            seen.value.insert(request.object["n"]?.text ?? "")
            server?.reply(request, [:])
        }
        try loop.run("all are delivered", within: 15) { answered.value == 300 }
        #expect(seen.value.count == 300)
        #expect(client.undelivered == 0)
        withExtendedLifetime(server) {}
    }
}
