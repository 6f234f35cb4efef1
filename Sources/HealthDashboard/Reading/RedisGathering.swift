import Redis
import ServiceKit

/// One command and what is done with its reply.
struct RedisQuestion {
    let command: [String]
    let take: (RedisValue) -> Void

    init(_ command: [String], _ take: @escaping (RedisValue) -> Void) {
        self.command = command
        self.take = take
    }
}

extension RedisLink {
    /// Sends the commands as one pipeline; `done` is called once, after the last reply, with whether all came.
    ///
    /// An error reply is a reply: it is given to its question like any other.
    func gather(_ questions: [RedisQuestion], _ done: @escaping (Bool) -> Void) {
        guard !questions.isEmpty else { return done(true) }
        let progress = GatheringProgress(waiting: questions.count, done: done)
        for question in questions {
            send(question.command) { reply in
                if let reply { question.take(reply) }
                progress.answered(reply != nil)
            }
        }
    }
}

private final class GatheringProgress {
    private var waiting: Int
    private var isComplete = true
    private let done: (Bool) -> Void

    init(waiting: Int, done: @escaping (Bool) -> Void) {
        self.waiting = waiting
        self.done = done
    }

    func answered(_ came: Bool) {
        isComplete = isComplete && came
        waiting -= 1
        if waiting == 0 { done(isComplete) }
    }
}
