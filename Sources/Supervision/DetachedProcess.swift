import Glibc

/// Starts a program that outlives the caller, see posix_spawn(3).
enum DetachedProcess {
    /// A session of its own, standard input from /dev/null, both outputs to a file, every other descriptor closed:
    /// whoever reads the caller's output sees its end when the caller ends.
    /// - Parameters:
    ///   - words: the program's absolute path and its arguments; setsid(1) and env(1) exec it, so that the process id
    ///     is its own. (The C library's own ways to do so are extensions that Swift doesn't import.)
    ///   - output: appended to.
    static func spawn(_ words: [String], environment: [String: String], directory: String, output: String)
        throws(SupervisionError) -> Int32
    {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        for descriptor in Files.openDescriptors() where descriptor > STDERR_FILENO {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The caller may block or ignore signals; the services must not inherit that.
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        let env = try Files.program("env", package: "coreutils")
        let setsid = try Files.program("setsid", package: "util-linux")
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ([env, "-C", directory, setsid] + words).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, env, &actions, &attributes, &arguments, &variables)
        guard result == 0 else { throw .file("start", env, errno: result) }
        return pid
    }
}
