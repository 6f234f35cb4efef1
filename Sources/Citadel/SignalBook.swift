/// The live signals. Bounded; everything goes by queues, so that a step costs what it does, not what there is, and
/// outputs are deterministic.
struct SignalBook: Sendable {
    struct Entry: Sendable {
        var live: LiveSignal
        var nextScoring: Int64
    }

    private(set) var entries: [Int: Entry] = [:]
    private var sequenceByIdentifier: [String: Int] = [:]
    private var nextSequence = 1
    private var scorings = RemovableQueue<Int64>()
    private var expiries = RemovableQueue<Int64>()
    /// By symbol, mostly one; another for signals that came while one has signals to end.
    private var watches: [String: [SignalWatch]] = [:]
    /// Symbols with touched signals that are not ended yet, in the order they were touched.
    private var touchedSymbols: [String] = []
    /// How the last signals ended, so that a late repetition of one is not taken for a new one.
    private var endings: [String: SignalUpdate.Kind] = [:]
    private var endingOrder = RingBuffer<String>(capacity: endingsKept)
    private static let endingsKept = 10_000
    /// A watch with no more signals than this is merged into another.
    private static let fewSignals = 64

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }
    /// In order of submission.
    var live: [LiveSignal] { entries.keys.sorted().compactMap { entries[$0]?.live } }

    func live(_ identifier: String) -> LiveSignal? {
        sequenceByIdentifier[identifier].flatMap { entries[$0]?.live }
    }

    func ending(_ identifier: String) -> SignalUpdate.Kind? { endings[identifier] }

    mutating func insert(_ live: LiveSignal, nextScoring: Int64) {
        let sequence = nextSequence
        nextSequence += 1
        entries[sequence] = Entry(live: live, nextScoring: nextScoring)
        sequenceByIdentifier[live.signal.signalIdentifier] = sequence
        scorings.insert(sequence, at: nextScoring)
        expiries.insert(sequence, at: live.expiresMilliseconds)
        watch(live.signal, sequence)
    }

    private mutating func watch(_ signal: TradingSignal, _ sequence: Int) {
        // Changed in its place: a copy would cost as much as there is.
        if let place = watches[signal.symbol]?.lastIndex(where: { !$0.isPending }) {
            watches[signal.symbol]?[place].add(signal, sequence)
        } else {
            var fresh = SignalWatch()
            fresh.add(signal, sequence)
            watches[signal.symbol, default: []].append(fresh)
        }
    }

    /// Changes an entry and puts it in its place for the next scoring.
    mutating func update(_ sequence: Int, _ change: (inout Entry) -> Void) {
        guard var entry = entries[sequence] else { return }
        change(&entry)
        entries[sequence] = entry
        scorings.insert(sequence, at: entry.nextScoring)
    }

    /// The signal whose time is over for the longest.
    func expired(at now: Int64) -> Int? {
        expiries.first.flatMap { $0.key <= now ? $0.sequence : nil }
    }

    /// The signal whose scoring is due for the longest. Before the next call it is to be updated or removed.
    func due(at now: Int64) -> Int? {
        scorings.first.flatMap { $0.key <= now ? $0.sequence : nil }
    }

    // MARK: touched signals

    /// Takes in a current quote of a symbol.
    mutating func touch(_ tick: MarketTick) {
        guard let places = watches[tick.symbol]?.indices else { return }
        var isTouched = false
        for place in places where watches[tick.symbol]?[place].touch(tick) == true { isTouched = true }
        if isTouched, !touchedSymbols.contains(tick.symbol) { touchedSymbols.append(tick.symbol) }
    }

    /// The next signal that a quote touched, and what that quote was; nil when none is left. Before the next call it is
    /// to be removed.
    mutating func nextTouched() -> (sequence: Int, reach: QuoteReach)? {
        while let symbol = touchedSymbols.first {
            for place in watches[symbol]?.indices ?? 0..<0 {
                if let found = watches[symbol]?[place].nextTouched() { return found }
            }
            touchedSymbols.removeFirst()
            merge(symbol)
        }
        return nil
    }

    /// Watches that were apart for a while become one again, where there is little to move.
    private mutating func merge(_ symbol: String) {
        guard var list = watches[symbol], list.count > 1 else { return }
        while list.count > 1, let place = list.indices.dropLast().first(where: { list[$0].count <= Self.fewSignals }) {
            for sequence in list[place].sequences {
                if let entry = entries[sequence] { list[list.count - 1].add(entry.live.signal, sequence) }
            }
            list.remove(at: place)
        }
        watches[symbol] = list
    }

    // MARK: ends

    /// Forgets an ended signal, remembering how it ended.
    mutating func remove(_ sequence: Int, _ kind: SignalUpdate.Kind) {
        guard let entry = entries.removeValue(forKey: sequence) else { return }
        let signal = entry.live.signal
        sequenceByIdentifier[signal.signalIdentifier] = nil
        scorings.remove(sequence)
        expiries.remove(sequence)
        for place in watches[signal.symbol]?.indices ?? 0..<0 { watches[signal.symbol]?[place].remove(sequence) }
        watches[signal.symbol]?.removeAll { $0.isEmpty && !$0.isPending }
        if watches[signal.symbol]?.isEmpty == true { watches[signal.symbol] = nil }
        remember(signal.signalIdentifier, kind)
    }

    private mutating func remember(_ identifier: String, _ kind: SignalUpdate.Kind) {
        // At index 0 is the oldest.
        if endingOrder.count == endingOrder.capacity { endings[endingOrder[0]] = nil }
        endingOrder.append(identifier)
        endings[identifier] = kind
    }
}
