import Domain
import Foundation
import Testing
import Wire

@testable import HealthDashboard

@Suite("Access: token, actions, the event stream")
struct AccessTests {
    /// A file of its own that is gone afterwards.
    private func withTokenFile(_ body: (String) throws -> Void) rethrows {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("token-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test("A token is made at the first start, for its owner's eyes only, and stays")
    func making() throws {
        try withTokenFile { path in
            let token = AccessToken(path: path)
            #expect(token.refresh() == nil)
            let text = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(text.count == 64)
            #expect(!text.contains { !$0.isHexDigit })
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(AccessToken(path: path).refresh() == nil)
            let again = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(
                in: .whitespacesAndNewlines)
            #expect(again == text)
            #expect(token.matches(authorization: "Bearer \(text)"))
            #expect(token.matches(authorization: "bearer \(text)"))
        }
    }

    @Test("Nothing but the token opens")
    func refusing() throws {
        try withTokenFile { path in
            let text = String(repeating: "ab", count: 32)
            try "\(text)\n".write(toFile: path, atomically: true, encoding: .utf8)
            let token = AccessToken(path: path)
            #expect(!token.matches(authorization: "Bearer \(text)"), "before it was read nothing opens")
            #expect(token.refresh() == nil)
            let wrong = [
                nil, "", "Bearer", "Bearer ", text, "Basic \(text)", "Bearer \(text)a", "Bearer \(text.dropLast())",
                "Bearer \(text.dropLast())c", "Bearer \(text.uppercased())",
            ]
            for header in wrong { #expect(!token.matches(authorization: header), "\(header ?? "nothing")") }
            #expect(token.matches(authorization: "Bearer \(text)"))
        }
    }

    @Test("An empty token file lets nobody in and is complained about")
    func empty() throws {
        try withTokenFile { path in
            try "\n".write(toFile: path, atomically: true, encoding: .utf8)
            let token = AccessToken(path: path)
            #expect(token.refresh() != nil)
            #expect(!token.matches(authorization: "Bearer "))
        }
    }

    private func request(_ action: Endpoint.Action, _ text: String) throws -> Errand {
        try ActionRequests.errand(action, body: Array(text.utf8), now: Fixtures.now)
    }

    @Test("A brake becomes the request of the orders port; its type and request_id are not the caller's")
    func brake() throws {
        let body = #"{"state":"halted","scope":"all","reason":"test","type":"fire","request_id":"9"}"#
        guard case .order(let order) = try request(.brake, body) else { return #expect(Bool(false), "no order") }
        #expect(
            order == [
                "type": .string("brake"), "state": .string("HALTED"), "scope": .string("all"),
                "reason": .string("test"),
            ])
        for bad in ["", "[]", "{", #"{"state":"STOP"}"#, #"{"scope":"all"}"#] {
            #expect(throws: HTTPProblem.self) { try request(.brake, bad) }
        }
    }

    @Test("An acknowledgement becomes an entry of the stream, with known fields only")
    func acknowledgement() throws {
        let errand = try request(.acknowledge(alert: "a1"), #"{"by":"me","other":"x","reason":null}"#)
        guard case .alertAction(let fields) = errand else { return #expect(Bool(false), "no entry") }
        #expect(fields == ["action", "acknowledge", "at", "1795000000000", "alert_id", "a1", "by", "me"])
        let long = #"{"reason":"\#(String(repeating: "x", count: 501))"}"#
        #expect(throws: HTTPProblem.self) { try request(.silence, long) }
    }

    @Test("A listener is told everything at first, then what changed, as one message")
    func listening() throws {
        let hub = EventHub()
        let (identifier, listener) = try #require(hub.join(version: 3))
        let first = try #require(listener.take())
        for part in Part.allCases { #expect(first.contains("\"\(part.rawValue)\"")) }
        #expect(listener.take() == nil)
        hub.publish([.nodes], version: 4)
        hub.publish([.positions, .nodes], version: 5)
        #expect(
            listener.take()
                == "event: refresh\nid: 5\ndata: {\"version\":5,\"parts\":[\"nodes\",\"positions\"]}\n\n")
        hub.beat()
        #expect(listener.take() == ": alive\n\n")
        hub.leave(identifier)
        #expect(hub.count == 0)
    }

    @Test("Listeners are bounded, and none is taken at the end")
    func bounds() {
        let hub = EventHub()
        let joined = (0..<(EventHub.maximumListeners + 5)).compactMap { _ in hub.join(version: 1) }
        #expect(joined.count == EventHub.maximumListeners)
        hub.leave(joined[0].identifier)
        #expect(hub.join(version: 1) != nil)
        hub.close()
        hub.leave(joined[1].identifier)
        #expect(hub.join(version: 1) == nil)
    }

    @Test("Errands are bounded and answered when the desk closes")
    func desk() async {
        let desk = ErrandDesk()
        let asked = Task { await desk.ask(.inquiry(.node("n"))) }
        var waiting: [ErrandDesk.Waiting] = []
        let deadline = ContinuousClock.now + .seconds(30)
        while waiting.isEmpty, ContinuousClock.now < deadline {
            waiting = desk.take()
            await Task.yield()
        }
        #expect(waiting.count == 1)
        // Whoever is still waiting is answered: a failure must not hang.
        if waiting.isEmpty { desk.close() }
        for one in waiting { one.reply(.missing("n")) }
        #expect(await asked.value == .missing("n"))
        desk.close()
        guard case .unavailable = await desk.ask(.inquiry(.node("n"))) else {
            return #expect(Bool(false), "a closed desk took an errand")
        }
    }
}
