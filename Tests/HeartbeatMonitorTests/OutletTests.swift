import Domain
import Fleet
import Foundation
import Logging
import ServiceKit
import TestKit
import Testing
import Wire

@testable import HeartbeatMonitor

@Suite(.serialized) struct OutletTests {
    @Test func aNoticeArrivesOnceWithItsToken() async throws {
        try await onOwnThread {
            let receiver = try Receiver()
            let directory = try TemporaryDirectory("alerts")
            try receiver.start()
            let bench = DeskBench(webhook(receiver.url, token: "s3cret"), spool: directory.path + "/spool")
            for number in 1...20 { bench.tell("alert \(number)") }
            #expect(try bench.run { bench.desk.waiting == 0 })
            #expect(receiver.told() == (1...20).map { "alert \($0)" })
            let first = try #require(receiver.requests.first)
            #expect(first["path"]?.text == "/hook" && first["type"]?.text == "application/json")
            #expect(first["authorization"]?.text == "Bearer s3cret")
        }
    }

    @Test func whatIsNotTakenIsSentAgainAndWhatIsRefusedHoldsNobodyUp() async throws {
        try await onOwnThread {
            let receiver = try Receiver()
            let directory = try TemporaryDirectory("alerts")
            try receiver.answer(503)
            try receiver.start()
            let bench = DeskBench(webhook(receiver.url), spool: directory.path + "/spool")
            bench.tell("A")
            #expect(try bench.run { receiver.told(503).count >= 3 })
            try receiver.answer(200)
            #expect(try bench.run { bench.desk.waiting == 0 })
            #expect(receiver.told() == ["A"])
            try receiver.answer(400)
            bench.tell("B")
            #expect(try bench.run { bench.desk.waiting == 0 })
            try receiver.answer(200)
            bench.tell("C")
            #expect(try bench.run { receiver.told() == ["A", "C"] })
            bench.desk.refreshReport()
            #expect(bench.report.counters["outlet_webhook_refused"] == 1)
        }
    }

    /// A client that follows makes a GET without a body of the POST, and the page it ends at answers 200.
    @Test(arguments: [301, 302, 303, 307, 308])
    func aRedirectIsARefusalThatSaysWhereItLeads(status: Int) async throws {
        try await onOwnThread {
            let receiver = try Receiver()
            let directory = try TemporaryDirectory("alerts")
            try receiver.answer(status, location: "/moved?session=5e55i0n")
            try receiver.start()
            let bench = DeskBench(webhook(receiver.url), spool: directory.path + "/spool")
            bench.tell("A")
            #expect(try bench.run { bench.desk.waiting == 0 })
            bench.desk.refreshReport()
            #expect(bench.report.counters["outlet_webhook_refused"] == 1)
            #expect(bench.report.counters["outlet_webhook_delivered"] == 0)
            #expect(
                bench.report.problems["outlet_webhook"]
                    == "alerts can't be delivered to webhook: refused with \(status): it redirects to /moved;"
                    + " redirects are not followed")
            #expect(receiver.requests.map { $0["method"]?.text } == ["POST"])
            try receiver.answer(200)
            bench.tell("B")
            #expect(try bench.run { receiver.told() == ["B"] })
        }
    }

    @Test func whileTheNetworkIsAwayNoticesWaitOnDiskAndARestartSendsThemOnce() async throws {
        try await onOwnThread {
            let receiver = try Receiver()
            let directory = try TemporaryDirectory("alerts")
            let spool = directory.path + "/spool"
            do {
                let bench = DeskBench(webhook(receiver.url, token: "s3cret"), spool: spool)
                for number in 1...50 { bench.tell("alert \(number)") }
                let isTold = try bench.run {
                    bench.desk.refreshReport()
                    return bench.report.problems["outlet_webhook"] != nil
                }
                #expect(isTold && bench.desk.waiting == 50)
                #expect(bench.report.problems["outlet_webhook"]?.contains("s3cret") == false)
                bench.desk.drain(bench.reactor)
            }
            let mode = try FileManager.default.attributesOfItem(atPath: spool)[.posixPermissions] as? NSNumber
            #expect(mode?.intValue == 0o600)
            #expect(try !String(contentsOfFile: spool, encoding: .utf8).contains("s3cret"))
            // A line that was torn by a crash spoils nothing.
            let file = try #require(FileHandle(forWritingAtPath: spool))
            _ = try file.seekToEnd()
            try file.write(contentsOf: Data("{\"n\":99,\"outl".utf8))
            try file.close()
            try receiver.start()
            let bench = DeskBench(webhook(receiver.url), spool: spool)
            #expect(bench.desk.waiting == 50)
            bench.tell("afterwards")
            #expect(try bench.run(20) { bench.desk.waiting == 0 })
            #expect(receiver.told() == (1...50).map { "alert \($0)" } + ["afterwards"])
            let third = DeskBench(webhook(receiver.url), spool: spool)
            #expect(third.desk.waiting == 0)
            print(
                "spooled 50 delivered \(receiver.told().count) twice \(receiver.told().count - Set(receiver.told()).count)"
            )
        }
    }

    @Test func aTestSaysWhatEachOutletAnswered() async throws {
        try await onOwnThread {
            let receiver = try Receiver()
            let directory = try TemporaryDirectory("alerts")
            try receiver.start()
            var configuration = webhook(receiver.url)
            configuration.outlets.append(
                OutletConfiguration(
                    name: "telegram",
                    kind: .telegram(
                        api: "http://127.0.0.1:\(receiver.port)", token: Secret(revealed: "9:XYZ"), chat: "7")))
            configuration.outlets.append(
                OutletConfiguration(
                    name: "nobody",
                    kind: .webhook(
                        url: Secret(revealed: "http://127.0.0.1:\(try FreePorts.next())/9:XYZ"), authorization: nil)))
            // Who is not there is waited for that long.
            for index in configuration.outlets.indices { configuration.outlets[index].timeout = 1_000 }
            let bench = DeskBench(configuration, spool: directory.path + "/spool")
            var results: [String: DeliveryResult] = [:]
            let alert = Alert(
                alertID: "t", key: "test:1", type: "test", severity: .info, message: "a test", fields: [:],
                raisedAt: SystemClock.now())
            bench.desk.test(alert) { for (outlet, result) in $0 { results[outlet] = result } }
            #expect(try bench.run { results.count == 3 })
            #expect(results["webhook"]?.words.hasPrefix("accepted (200") == true)
            #expect(results["telegram"]?.words.hasPrefix("accepted (200") == true)
            guard case .failed(let words, _) = results["nobody"] else {
                Issue.record("an outlet nobody serves failed not: \(results)")
                return
            }
            #expect(!words.contains("9:XYZ"))
            let told = try #require(receiver.requests.first { $0["path"]?.text == "/bot9:XYZ/sendMessage" })
            let body = try #require(told["body"]?.text.flatMap { (try? JSON($0))?.object })
            #expect(body["chat_id"]?.text == "7" && body["text"]?.text?.hasPrefix("INFO: test\na test") == true)
        }
    }

    @Test func theDeadMansSwitchKeepsSaying() async throws {
        try await onOwnThread {
            let receiver = try Receiver()
            let directory = try TemporaryDirectory("alerts")
            try receiver.start()
            var configuration = webhook(receiver.url)
            configuration.deadMansSwitch = (300, "webhook")
            let bench = DeskBench(configuration, spool: directory.path + "/spool")
            // Nobody was judged yet: it has nothing to say, and an alert that is told meanwhile goes out.
            bench.tell("A")
            #expect(try bench.run { receiver.told() == ["A"] })
            bench.desk.noteJudged()
            #expect(try bench.run { receiver.told().count { $0 == "heartbeat-monitor lives and judges" } >= 3 })
            #expect(bench.desk.waiting == 0)
        }
    }

    @Test func itFallsSilentWhenNobodyIsJudgedAnyMore() {
        // Redis away, or a round that never ends: the process lives, and nobody is watched.
        #expect(OutletDesk.isSwitchSilent(judgedAt: nil, now: Timestamp(milliseconds: 5_000)))
        let judged = Timestamp(milliseconds: 100_000)
        #expect(!OutletDesk.isSwitchSilent(judgedAt: judged, now: judged.adding(milliseconds: 30_000)))
        #expect(OutletDesk.isSwitchSilent(judgedAt: judged, now: judged.adding(milliseconds: 30_001)))
    }
}
