import Domain
import Logging
import Redis
import ServiceKit
import Trading
import Wire

// What reconciliation keeps in Redis, and reads at a start.
extension PositionTrackerService {
    private static let setKey = "reconciliations"
    private static let accountSeconds: Int64 = 2_592_000
    private static let questionSeconds: Int64 = 7_776_000
    private static let loadedQuestions = "9999"

    func write(_ question: ReconciliationQuestion) {
        let score = String(question.askedAt.milliseconds)
        // A moment, not a length: played again from the journal it is the same.
        let expiry = String((question.answeredAt ?? question.askedAt).seconds + PositionTrackerService.questionSeconds)
        let oldest = String(question.askedAt.milliseconds - 90 * 86_400_000)
        store.write(
            .always,
            [
                ["HSET", question.redisKey] + question.row,
                ["EXPIREAT", question.redisKey, expiry],
                ["ZADD", "questions", score, question.identifier],
                ["ZREMRANGEBYSCORE", "questions", "-inf", oldest],
            ])
        if question.state == .open { report.count("questions_asked") }
    }

    func write(_ key: String) {
        guard let state = reconciler.accounts[key] else { return }
        let name = "reconciliation:\(key)"
        store.write(
            .always,
            [
                ["HSET", name, "state", AccountStateText.text(state)],
                ["EXPIREAT", name, String(SystemClock.now().seconds + PositionTrackerService.accountSeconds)],
                ["SADD", PositionTrackerService.setKey, key],
            ])
        reconciliationDesk.toShow.insert(key)
    }

    /// What is shown is rebuilt by the next look wherever it is lost: it is not journaled.
    func show(_ key: String, onlyChanged: Bool) {
        guard let account = reconciler.reconciliation(key, engine, now: SystemClock.now()) else { return }
        let text = JSON.object(account.json).compactText
        let hash = text.hashValue
        guard !onlyChanged || reconciliationDesk.shown[key] != hash else { return }
        // An account nobody trades on is told once in a while, by its next change.
        guard !onlyChanged || !account.matched.isEmpty || !account.onlyOurs.isEmpty || !account.onlyTheirs.isEmpty
        else { return }
        reconciliationDesk.shown[key] = hash
        store.writeUnjournaled([
            LedgerStep(.exists(key: "reconciliation:\(key)"), [["HSET", "reconciliation:\(key)", "json", text]])
        ])
    }

    func loadReconciliation() {
        guard !reconciliationDesk.isLoading else { return }
        reconciliationDesk.isLoading = true
        var states: [AccountState] = []
        var questions: [ReconciliationQuestion] = []
        redis.send(["SMEMBERS", PositionTrackerService.setKey]) { [redis, report] reply in
            for key in reply?.texts ?? [] {
                redis.send(["HGET", "reconciliation:\(key)", "state"]) { reply in
                    guard let text = reply?.text else { return }
                    if let state = AccountStateText.read(text) {
                        states.append(state)
                    } else {
                        report.reject("unreadable_reconciliation")
                    }
                }
            }
        }
        redis.send(["ZREVRANGE", "questions", "0", PositionTrackerService.loadedQuestions]) { [redis] reply in
            for identifier in reply?.texts ?? [] {
                redis.send(["HGETALL", "question:\(identifier)"]) { reply in
                    if let row = reply?.dictionary, let question = ReconciliationQuestion(row: row) {
                        questions.append(question)
                    }
                }
            }
        }
        // Replies come in order: the lists are in at the first of these, their rows at the second.
        redis.send(["PING"]) { [unowned self] _ in
            redis.send(["PING"]) { [unowned self] reply in
                reconciliationDesk.isLoading = false
                // A lost connection says nothing of what was kept: it is read again.
                guard reply != nil else { return }
                for state in states { reconciler.restore(state) }
                for question in questions where question.state != .withdrawn { reconciler.restore(question) }
                reconciliationDesk.isLoaded = true
                let early = reconciliationDesk.early
                reconciliationDesk.early = []
                for (event, _) in early { reconcile(event) }
                let looks = reconciliationDesk.earlyLooks
                reconciliationDesk.earlyLooks = []
                for look in looks { reconciler.hear(look.report, engine, now: look.at) }
                environment.log.info(
                    "reconciliation loaded",
                    metadata: ["accounts": "\(states.count)", "questions": "\(questions.count)"])
            }
        }
    }
}
