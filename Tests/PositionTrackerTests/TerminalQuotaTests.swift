import Testing

@testable import PositionTracker

@Suite("How much a connection of the command port may say") struct TerminalQuotaTests {
    @Test("a backlog of a thousand heartbeats is heard; a flood is not, and costs nobody else anything")
    func frames() {
        var quota = TerminalQuota()
        var heard = 0
        for _ in 0..<50_000 where quota.take(1, user: "user_1", node: "N", isHello: false, now: 0) == .admitted {
            heard += 1
        }
        #expect(heard == Int(TerminalQuota.frameBurst))
        #expect(quota.take(2, user: "user_2", node: "N", isHello: false, now: 0) == .admitted)
        #expect(quota.take(1, user: "user_1", node: "N", isHello: false, now: 10_000) == .admitted, "it fills again")
    }

    @Test("HELLOs, names and lengths are bounded; a new connection begins anew")
    func names() {
        var quota = TerminalQuota()
        let hellos = (0..<100).count { _ in
            quota.take(1, user: "user_1", node: "N", isHello: true, now: 0) == .admitted
        }
        #expect(hellos == Int(TerminalQuota.helloBurst))
        let users = (0..<100).count { number in
            quota.take(2, user: "user_\(number)", node: "N", isHello: false, now: 0) == .admitted
        }
        #expect(users == TerminalQuota.mostUsers)
        let long = String(repeating: "u", count: 129)
        #expect(quota.take(3, user: long, node: "N", isHello: true, now: 0) == .refused("bad_identity"))
        #expect(quota.take(3, user: "user_3", node: "a\nb", isHello: true, now: 0) == .refused("bad_identity"))
        quota.ended(1)
        #expect(quota.take(1, user: "user_1", node: "N", isHello: true, now: 0) == .admitted)
    }
}
