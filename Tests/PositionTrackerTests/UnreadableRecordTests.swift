import Redis
import ServiceKit
import TestKit
import Testing

@testable import PositionTracker

@Suite(
    "records that Redis can't take", .serialized,
    .enabled(if: RedisServer.isInstalled, "redis-server is missing"))
struct UnreadableRecordTests {
    private func record(_ commands: [[String]]) -> String { LedgerRecord(.write, [LedgerStep(.always, commands)]).text }

    @Test(
        "a record that can't be read is refused alone, whatever its call has beside it",
        arguments: [
            "", "{\"kind\":", "null", "7", "[1]]", #"{"steps":7}"#, #"{"steps":[7]}"#,
            #"{"steps":[{"if":["always"]}]}"#,
            #"{"steps":[{"if":["always"],"do":[7]}]}"#, #"{"steps":[],"event":["j"]}"#,
            #"{"steps":[],"event":["j","x","e","1-1"]}"#,
        ])
    func unreadable(text: String) throws {
        let redis = try RedisServer()
        let connection = RedisConnection(redis.address)
        let values = TrackerScripts.values(
            field: "seq.j", expected: "", .live,
            [
                ("1", "", record([["SET", "first", "1 ä\n"]])), ("2", "", text),
                ("3", "", record([["SET", "third", "3"]])),
            ])
        let reply = try connection.call(TrackerScripts.makeWrite().arguments(keys: [], values))
        guard case .done(let answers, let complaints) = TrackerScripts.outcome(reply, count: 3) else {
            Issue.record("\(reply)")
            return
        }
        #expect(answers.map(\.text) == ["", "0 unreadable", ""])
        #expect(complaints == ["record 2 is unreadable"])
        #expect(try redis.call("MGET", "first", "third").texts == ["1 ä\n", "3"])
        #expect(try redis.hash("ledger:state") == ["seq.j": "3"])
    }

    @Test("a condition without what it is about refuses its step alone")
    func condition() throws {
        let redis = try RedisServer()
        let connection = RedisConnection(redis.address)
        let always = #"{"if":["always"],"do":[["SET","y","1"]]}"#
        let bad = #"{"steps":[{"if":["reserve","row"],"do":[["SET","x","1"]]},\#(always)]}"#
        let values = TrackerScripts.values(field: "seq.j", expected: "", .live, [("1", "", bad)])
        let reply = try connection.call(TrackerScripts.makeWrite().arguments(keys: [], values))
        guard case .done(let answers, _) = TrackerScripts.outcome(reply, count: 1) else {
            Issue.record("\(reply)")
            return
        }
        #expect(answers.map(\.text) == ["1 unreadable"])
        #expect(try redis.call("EXISTS", "x", "y").integer == 1)
    }

    @Test("a command with more arguments than a call can have is complained of and costs the others nothing")
    func long() throws {
        let place = try TemporaryDirectory("ledger")
        let harness = try StoreHarness(try RedisServer(), directory: place.path)
        try harness.settle()
        let members = (0..<9000).map(String.init)
        for number in 0..<40 {
            var commands = [["SET", "row:\(number)", "1"]]
            if number == 20 { commands.insert(["SADD", "many"] + members, at: 0) }
            try harness.store.write(.always, commands)
        }
        try harness.settle()
        let keys = try harness.everything().keys
        #expect(keys.count == 40 && !keys.contains("many"))
        #expect(harness.report.problems["state_keys"]?.contains("SADD many") == true)
        try harness.emptyAndRebuild()
        #expect(try harness.everything().keys.count == 40)
    }
}
