import Domain
import Testing

@testable import HealthDashboard

@Suite("Reading: what is read next, what services and the machine say")
struct ReadingTests {
    @Test("Every hot member is read in turn within its budget; what changed goes ahead")
    func turns() {
        var queue = RefreshQueue()
        let hot = Set((0..<1000).map { "n\($0)" })
        #expect(queue.update(hot: hot, cold: ["old"]).isEmpty)
        let first = queue.take(budget: 300, urgentLimit: 2000)
        #expect(Set(first) == hot.union(["old"]), "new members are read at once")
        var read: Set<String> = []
        for _ in 0..<4 {
            let taken = queue.take(budget: 250, urgentLimit: 2000)
            #expect(taken.count == 250)
            read.formUnion(taken)
        }
        #expect(read == hot)
        queue.mark("old")
        queue.mark("stranger")
        #expect(queue.take(budget: 5, urgentLimit: 2000).first == "old")
    }

    @Test("A first load comes in slices")
    func slices() {
        var queue = RefreshQueue()
        _ = queue.update(hot: Set((0..<50).map { "n\($0)" }), cold: [])
        #expect(queue.take(budget: 10, urgentLimit: 20).count == 20)
        #expect(queue.hasUrgent)
        #expect(queue.take(budget: 10, urgentLimit: 40).count == 30)
        #expect(!queue.hasUrgent)
    }

    @Test("What cools down is read once more; what is gone is told and never read again")
    func cooling() {
        var queue = RefreshQueue()
        _ = queue.update(hot: ["a", "b"], cold: [])
        _ = queue.take(budget: 10, urgentLimit: 10)
        #expect(queue.update(hot: ["b"], cold: ["a"]).isEmpty)
        #expect(queue.take(budget: 1, urgentLimit: 10) == ["a"])
        #expect(queue.take(budget: 10, urgentLimit: 10) == ["b"])
        #expect(queue.update(hot: [], cold: ["a"]) == ["b"])
        #expect(queue.take(budget: 10, urgentLimit: 10).isEmpty)
    }

    @Test(
        "A service's state follows its report and the report's age",
        arguments: [
            ("ready", 400, ServiceStatus.State.running), ("degraded", 400, .degraded), ("starting", 400, .starting),
            ("ready", 5001, .stale), ("stopped", 400, .down),
        ])
    func states(told: String, age: Int64, expected: ServiceStatus.State) {
        let report = ["state": told, "updated_at": String(Fixtures.now.milliseconds - age)]
        let status = ServiceStatus(.nodeRegistry, report: report, exits: ExitRecord(), now: Fixtures.now)
        #expect(status.state == expected)
    }

    @Test("No report means down")
    func absent() {
        #expect(ServiceStatus(.nodeRegistry, report: [:], exits: ExitRecord(), now: Fixtures.now).state == .down)
    }

    @Test("The supervisor's record gives restarts and the last end; torn lines are passed over")
    func exits() {
        let record = ExitRecord(
            text: """
                1795000000 0 0 0 0 started 0 0
                1795000100 -1 9 4711 35 died 1 0
                1795000200 1 0 4712 1 alarm 2 5
                17950
                """)
        #expect(record.restarts == 2)
        #expect(record.isAlarmed)
        #expect(record.lastExit?.exitCode == 1)
        #expect(record.lastExit?.time == Timestamp(seconds: 1_795_000_200))
        let renewed = ExitRecord(text: "1795000100 -1 9 4711 35 died 4 0\n1795000300 0 0 0 0 started 0 0\n")
        #expect(renewed.restarts == 0)
        #expect(renewed.lastExit?.signal == 9)
        #expect(ExitRecord(text: "") == ExitRecord())
    }

    @Test("Only listening sockets count as served ports")
    func listening() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:15BF 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0
               1: 0100007F:15C0 0100007F:8F3C 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4
            4999: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00:00 00:00 00 0 0 3
            """
        var ports: Set<Int> = []
        PortProbe.collect(Array(text.utf8), into: &ports)
        #expect(ports == [0x15BF, 0x1F90])
    }

    @Test("A file of /proc is read to its end, however long it is")
    func longFile() {
        // The test process maps more files than fit into one page of text.
        let maps = ProcFile.text("/proc/self/maps")
        #expect(maps.utf8.count > 8192)
        #expect(maps.contains("[stack]"))
        #expect(ProcFile.bytes("/proc/there is no such file").isEmpty)
    }

    @Test("The machine's figures are read from /proc as it is")
    func machine() {
        let times = SystemProbe.processorTimes("cpu  100 10 40 800 50 0 0 0 0 0\ncpu0 1 1 1 1 1\n")
        #expect(times?.busy == 150)
        #expect(times?.total == 1000)
        #expect(SystemProbe.processorTimes("nonsense") == nil)
        #expect(SystemProbe.kilobytes("MemTotal:  2048 kB\nMemAvailable:  1024 kB\n", "MemAvailable:") == 1024)
        #expect(Overview.fields(information: "# Server\r\nredis_version:7.0.15\r\n")["redis_version"] == "7.0.15")
    }
}
