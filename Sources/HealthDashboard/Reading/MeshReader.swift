import Domain
import Redis
import ServiceKit
import Wire

/// Reads the mesh's state from Redis in cycles: first what exists, then what changed of it, then it is published.
///
/// A cycle begins each second, or at once where something is known to have changed; never two at a time. Owned by the
/// loop's thread. Keys and writers: docs/contract.md, section 4.
final class MeshReader {
    /// How many of what is over are kept beside what is going on.
    static let closedPositionsKept = 1000
    static let firesKept = 500
    static let signalsKept = 200
    static let alertsKept = 500
    static let inactiveNodesKept = 20_000
    static let questionsKept = 2000

    let link: RedisLink
    /// Called when a cycle ended: whether Redis answered everything, and what is different.
    var onCycle: (Bool, Set<Part>) -> Void = { _, _ in }
    /// Replies that were errors: somebody else's type under a name of the mesh.
    private(set) var errorReplies: Int64 = 0

    private let nodes = HashFamily(.nodes, prefix: "node:", budget: 600)
    private let positions = HashFamily(.positions, prefix: "position:", budget: 1000)
    private let fires = HashFamily(.fires, prefix: "fire:", budget: 200)
    private let signals = HashFamily(.signals, prefix: "signal:", budget: 200)
    private let alerts = HashFamily(.alerts, prefix: "alert:", budget: 200)
    private let questions = HashFamily(.questions, prefix: "question:", budget: 500)
    private let users = HashFamily(.users, prefix: "user:", budget: 100)
    private let statistics = ScopeFamily(budget: 200)
    private let reconciliations = ReconciliationFamily(budget: 500)
    private let levels = LevelFamily()
    private let happenings = Happenings()
    private let overview = Overview()

    /// Between two looks at all nodes those known stay known: who leaves the active ones becomes a cold member.
    private var knownNodes: Set<String> = []
    private var lastSeen: [String: Int64] = [:]
    private var brokerQuotes: [String: Int64] = [:]
    private var hasNews = false
    private var isReading = false
    private var cycle = 0

    init(link: RedisLink) {
        self.link = link
        link.onReady.append { [unowned self] in
            cycle = 0
            for family in families { family.markAll() }
            reconciliations.markAll()
            begin()
        }
    }

    private var families: [HashFamily] { [nodes, positions, fires, signals, alerts, questions, users] }

    /// Somebody said that a node changed, or is new; the next cycle reads it first.
    func nodeChanged(_ identifier: String) {
        if knownNodes.insert(identifier).inserted { hasNews = true }
        nodes.mark(identifier)
    }

    /// Begins a cycle where something is known to have changed.
    func beginIfUrgent() { if hasNews || nodes.hasUrgent { begin() } }

    /// Begins a cycle unless one is under way.
    func begin() {
        guard !isReading else { return }
        guard link.isReady else { return onCycle(false, []) }
        isReading = true
        hasNews = false
        let isFull = cycle % 30 == 0
        let isSlow = cycle % 5 == 0
        cycle += 1
        let index = Index()
        var asked = overview.questions() + index.questions(isFull: isFull, isSlow: isSlow)
        if isSlow { asked += overview.slowQuestions() + levels.indexQuestions() + happenings.questions() }
        link.gather(checked(asked)) { [self] isComplete in
            guard isComplete else { return end(false) }
            apply(index)
            readDetails(withLevels: isSlow)
        }
    }

    private func readDetails(withLevels isSlow: Bool) {
        var asked = families.flatMap { $0.questions() } + statistics.questions() + reconciliations.questions()
        if isSlow { asked += levels.questions() }
        link.gather(checked(asked)) { [self] isComplete in end(isComplete) }
    }

    private func end(_ isComplete: Bool) {
        isReading = false
        onCycle(isComplete, changedParts())
        // A first load comes in slices: the next follows at once.
        let hasMore = families.contains(where: \.hasUrgent) || statistics.hasUrgent || reconciliations.hasUrgent
        if isComplete, hasMore { begin() }
    }

    private func checked(_ questions: [RedisQuestion]) -> [RedisQuestion] {
        questions.map { question in
            RedisQuestion(question.command) { [unowned self] reply in
                if reply.errorMessage != nil { errorReplies += 1 } else { question.take(reply) }
            }
        }
    }

    private func apply(_ index: Index) {
        if let all = index.allNodes { knownNodes = all }
        knownNodes.formUnion(index.activeNodes)
        nodes.update(hot: index.activeNodes, cold: knownNodes)
        lastSeen = index.lastSeen
        brokerQuotes = index.brokerQuotes
        positions.update(hot: index.openPositions, cold: index.closedPositions)
        fires.update(hot: index.openFires, cold: index.recentFires)
        signals.update(hot: index.liveSignals, cold: index.recentSignals)
        alerts.update(hot: index.activeAlerts, cold: index.recentAlerts)
        statistics.update(index.scopes)
        // One that is open stays in sight however many newer ones there are; one that is over may be asked anew.
        let open = questions.members { Schema.questions.value("state", of: $0) == "open" }
        questions.update(hot: index.recentQuestions.union(open), cold: [])
        reconciliations.update(index.reconciliations)
        if let all = index.users { users.update(hot: all, cold: []) }
    }

    private func changedParts() -> Set<Part> {
        var parts = overview.takeChanges()
        if nodes.hasChanged { parts.insert(.nodes) }
        if positions.hasChanged { parts.insert(.positions) }
        if fires.hasChanged { parts.insert(.fires) }
        if signals.hasChanged { parts.insert(.signals) }
        if alerts.hasChanged { parts.insert(.alerts) }
        if statistics.takeChange() { parts.insert(.stats) }
        if levels.takeChange() { parts.insert(.levels) }
        if questions.hasChanged { parts.insert(.reconciliation) }
        if users.hasChanged { parts.formUnion([.users, .nodes]) }
        parts.formUnion(happenings.takeChanges())
        if reconciliations.takeChange() { parts.insert(.reconciliation) }
        return parts
    }

    /// Puts what was read into a snapshot.
    func fill(_ snapshot: inout Snapshot) {
        snapshot.nodes = nodes.publish()
        snapshot.lastSeen = lastSeen
        snapshot.brokerQuotes = brokerQuotes
        snapshot.positions = positions.publish()
        snapshot.fires = fires.publish()
        snapshot.signals = signals.publish()
        snapshot.alerts = alerts.publish()
        snapshot.activeAlerts = alerts.hot
        snapshot.statistics = statistics.scopes
        snapshot.levels = levels.levels
        snapshot.questions = questions.publish()
        snapshot.reconciliations = reconciliations.accounts
        snapshot.users = users.publish()
        happenings.fill(&snapshot)
        overview.fill(&snapshot)
    }

    /// The reports as they were last read, to be judged by their age.
    func report(of service: ServiceName) -> [String: String] { overview.reports[service] ?? [:] }
}
