import CLinux
import Foundation
import Glibc
import Logging

// The holder's process.
extension HeldConnections {
    /// Source: posix_spawn(3); a session of its own, so that what ends this process's group does not end it.
    func start() {
        let now = SystemClock.monotonicMilliseconds()
        // One that is still coming up, or that waits for another one's end.
        guard process == 0, now - startedAt >= HeldConnections.startMilliseconds else { return }
        startedAt = now
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        // POSIX_SPAWN_SETSID, an extension that Swift doesn't import. Source: spawn.h.
        let ownSession: Int16 = 0x80
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) | ownSession)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        let result = posix_spawn(&process, program, &actions, &attributes, &arguments, &variables)
        if result != 0 {
            process = 0
            log.warning(
                "no process can be started to hold the connections",
                metadata: ["why": "\(String(cString: strerror(result)))"])
        }
    }
}
