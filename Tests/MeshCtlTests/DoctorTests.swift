import Domain
import Foundation
import Synchronization
import Testing
import Wire

@testable import MeshCtl

@Suite("The doctor: verdicts, time limits, what is measured")
struct DoctorTests {
    @Test("What is broken counts more than what is not known, and that more than a warning")
    func verdicts() {
        let (good, warning) = (Finding.good("a", "x"), Finding.warning("b", "x", "y"))
        let (critical, unknown) = (Finding.critical("c", "x", "y"), Finding.unknown("d", "x", "y"))
        #expect(Finding.verdict(of: [good]) == .good)
        #expect(Finding.verdict(of: [good, warning]) == .warning)
        #expect(Finding.verdict(of: [good, warning, unknown]) == .unknown)
        #expect(Finding.verdict(of: [critical, unknown, good]) == .critical)
        #expect(Finding.verdict(of: []) == .unknown)
    }

    @Test("A check that hangs is not waited for longer than it may take, and does not hold up the others")
    func limits() async throws {
        try await blocking {
            let gate = DispatchSemaphore(value: 0)
            defer { gate.signal() }
            var told: [Finding] = []
            let began = ContinuousClock.now
            Checkup.run([
                Checkup("hangs", seconds: 0.2) {
                    gate.wait()
                    return []
                },
                Checkup("quick") { [.good("quick", "done")] },
            ]) { told += $0 }
            #expect(told.map(\.subject) == ["hangs", "quick"])
            #expect(told.map(\.verdict) == [.unknown, .good])
            #expect(told[0].text.contains("no answer"))
            #expect(ContinuousClock.now - began < .seconds(20))
        }
    }

    @Test("A finding is one line with what to do below it, within the width")
    func lines() {
        let finding = Finding.critical(
            "ports", "nobody listens on 1 (ea-commands) and several others that are named here",
            "look at the log of the service that owns it")
        let lines = DoctorText.lines(finding, width: 80, coloured: false)
        #expect(lines[0].hasPrefix("critical  ports                 nobody listens"))
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines.contains { $0.trimmingSpaces.hasPrefix("do: look at") })
        let path = "/" + String(repeating: "p", count: 58)
        let long = DoctorText.lines(.warning("disk", "\(path) is full", "empty \(path)"), width: 80, coloured: false)
        #expect(long.allSatisfy { $0.count <= 80 } && long.count { $0.contains(path) } == 2, "\(long)")
        #expect(long[0] == "warning   disk")
        #expect(DoctorText.sum([finding, .good("a", "b")]) == "1 good, 1 critical")
        #expect(DoctorText.sum([.good("a", "b")]) == "all 1 are good")
        #expect(DoctorText.json([.good("a", "b")]).compactText.contains(#""remedy":null"#))
    }

    @Test("The clock: steps, another machine's Redis, brokers that agree, and nothing that keeps it in step")
    func clock() {
        typealias Facts = ClockCheckup.Facts
        let cases: [(Facts, Verdict, String)] = [
            (Facts(redis: 3), .good, "differs by 3 ms"), (Facts(step: 900), .critical, "moved 900 ms"),
            (Facts(redis: -2500), .warning, "behind"), (Facts(redis: 8000), .critical, "ahead of"),
            (Facts(isDisciplined: false), .warning, "nothing keeps it in step"),
            (Facts(brokers: ["a": 10_800_400, "b": 7_199_000]), .good, "2 brokers' fit it"),
            (Facts(brokers: ["a": 10_920_000, "b": 7_320_000]), .warning, "120 s behind"),
            // One broker's clock may be wrong by itself, and two that contradict each other say nothing of ours.
            (Facts(brokers: ["a": 10_920_000, "b": 7_200_000]), .good, "kept in step"),
            (Facts(brokers: ["a": 10_920_000, "b": 7_080_000]), .good, "kept in step"),
        ]
        for (facts, verdict, words) in cases {
            let finding = ClockCheckup.judge(facts)
            #expect(finding.verdict == verdict && finding.text.contains(words), "\(finding)")
        }
        #expect(ClockCheckup.residue(-10_800_000) == 0 && ClockCheckup.residue(-10_801_000) == -1000)
    }

    @Test("Redis: its files, its memory and its speed")
    func redis() {
        #expect(RedisCheckup.kept("aof_last_write_status:ok\r\naof_last_bgrewrite_status:ok\r\n") == nil)
        #expect(RedisCheckup.kept("aof_last_write_status:err\r\n")?.verdict == .critical)
        #expect(RedisCheckup.memory("used_memory:95\r\nmaxmemory:100\r\n").verdict == .critical)
        #expect(RedisCheckup.memory("used_memory:75\r\nmaxmemory:100\r\n").verdict == .warning)
        #expect(RedisCheckup.memory("used_memory:75\r\nmaxmemory:0\r\n").verdict == .good)
        let quick = [Double](repeating: 0.2, count: 38)
        #expect(RedisCheckup.judge(quick + [90, 90]).verdict == .good, "two of forty may be slow")
        #expect(RedisCheckup.judge(quick + [90, 90, 90]).verdict == .warning)
        #expect(RedisCheckup.judge([]).verdict == .unknown)
    }

    @Test("The way through the hops: in time, too slow, or ended where somebody did not answer")
    func roundTrip() {
        let hops = [RoundTrip.Hop(name: "one", milliseconds: 3), RoundTrip.Hop(name: "two", milliseconds: 40)]
        #expect(RoundTripCheckup.judge(hops, failure: nil).verdict == .good)
        let slow = hops + [RoundTrip.Hop(name: "three", milliseconds: 999)]
        #expect(RoundTripCheckup.judge(slow, failure: nil).verdict == .warning)
        let ended = RoundTripCheckup.judge(hops, failure: "three: nobody answers")
        #expect(ended.verdict == .critical && ended.text.contains("good before: one 3, two 40 ms"))
        // A goodbye nobody took is said, whatever else was found; and the way in all leaves time for it.
        let left = RoundTripCheckup.judge(hops, failure: nil, hasLeft: false)
        #expect(left.verdict == .warning && left.text.contains("PROBE_meshctl_doctor is shown") && !left.remedy.isEmpty)
        #expect(RoundTripCheckup.judge(hops, failure: "x", hasLeft: false).text.contains("PROBE_meshctl_doctor"))
        #expect(RoundTrip.limit + RoundTrip.patience < 8000)
        #expect(ServiceProgress.judge(standing: ["a", "b"], of: 7).remedy == "meshctl restart a b")
        #expect(ServiceProgress.judge(standing: [], of: 7).verdict == .good)
    }

    @Test("Names that are nearly the same are found, others are not")
    func names() {
        #expect(NameDistance.between("COMMANDER_DEV_001", "commander_dev_01", atMost: 2) == 1)
        #expect(NameDistance.between("abc", "acb", atMost: 2) == 2)
        #expect(NameDistance.between("abc", "xyz", atMost: 2) == nil)
        #expect(NameDistance.between("abc", "abcdef", atMost: 2) == nil)
    }

    @Test("Tables fit: columns go by their rank, then texts are cut; without a width all is there")
    func tables() {
        var table = Table([.text("user"), .number("sl", rank: 2), .text("server", rank: 6), .text("state")])
        table.add(["someone_with_a_long_name", "1.08000", "Server-1", "open"])
        #expect(table.lines(coloured: false)[0].contains("sl"))
        let narrow = table.lines(coloured: false, width: 44)
        #expect(narrow[0] == "user                      server    state")
        #expect(table.leftOut(width: 44) == ["sl"] && table.leftOut(width: nil).isEmpty)
        let least = table.lines(coloured: false, width: 24)
        #expect(least.allSatisfy { $0.count <= 24 } && least[1].contains("…") && least[1].hasSuffix("open"))
        #expect(Screen.wrapped("one two three", width: 7) == ["one two", "three"])
        #expect(Screen.width(columns: "132") == 132 && Screen.width(columns: nil) == 80)
    }

    @Test("A file named on the command line that is wrong is refused, though a mesh may run")
    func strict() throws {
        try PrivateMesh.with { test in
            let path = test.directory + "/broken.yaml"
            try "nonsense: [".write(toFile: path, atomically: true, encoding: .utf8)
            let options = StartOptions(config: path, environment: [:], directory: test.directory)
            #expect(throws: (any Error).self) {
                _ = try Mesh.running(options, executables: test.mesh.executables, isStrict: true)
            }
        }
    }
}
