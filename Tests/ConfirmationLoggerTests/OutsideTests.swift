import Foundation
import TestKit
import Testing

/// The built executable with a Redis and ports of its own, driven by /usr/bin/python3 and its zmq: no code in common.
@Suite("confirmation-logger from outside")
struct OutsideTests {
    private static let python = "/usr/bin/python3"

    private static let canRun: Bool = {
        guard RedisServer.isInstalled, Project.isBuilt(["confirmation-logger"]),
            let directory = try? TemporaryDirectory("python"),
            let probe = try? ChildProcess(
                python, ["-c", "import zmq"], environment: Project.cleanEnvironment, log: directory.path + "/probe")
        else { return false }
        return (try? probe.wait(within: 20)) == .exited(0)
    }()

    @Test(
        "golden trade, receipts, bad input, kills, Redis away and emptied, full disk, speed, end",
        .enabled(if: canRun, "it needs redis-server, python3-zmq and the built confirmation-logger"))
    func story() throws {
        let directory = try TemporaryDirectory("outside")
        let story = try ChildProcess(
            OutsideTests.python, [Project.root + "/Tests/Outside/confirmation_logger.py", Project.products],
            environment: Project.cleanEnvironment, log: directory.path + "/story")
        let exit = try story.wait(within: 400)
        print(story.output)
        #expect(exit == .exited(0), "\(story.tail(40))")
    }
}
