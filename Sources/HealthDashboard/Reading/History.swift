import Domain
import Redis
import ServiceKit
import Wire

/// The last hour by the second and the last day by the minute, in memory and in Redis. Owned by the loop's thread.
///
/// Keys: `history:seconds` (a list of 3,600, written every ten seconds, kept two hours) and `history:minutes` (1,440,
/// kept two days); each entry is the JSON of a ``HistorySample``. Sole writer: health-dashboard.
final class History {
    static let seconds = 3600
    static let minutes = 1440
    private static let batch = 10

    /// Both rings, as HTTP handlers see them.
    struct Rings: Sendable {
        var seconds = HistoryRing(capacity: History.seconds)
        var minutes = HistoryRing(capacity: History.minutes)
    }

    private(set) var rings = Rings()
    private let link: RedisLink
    private var minute: [HistorySample] = []
    private var unwritten: [HistorySample] = []
    private var isRestored = false

    init(link: RedisLink) {
        self.link = link
        link.onReady.append { [unowned self] in restore() }
    }

    /// What an earlier dashboard saw comes before what this one saw.
    private func restore() {
        guard !isRestored else { return }
        isRestored = true
        read("history:seconds", History.seconds, \.seconds)
        read("history:minutes", History.minutes, \.minutes)
    }

    private func read(_ key: String, _ count: Int, _ ring: WritableKeyPath<Rings, HistoryRing>) {
        link.send(["LRANGE", key, String(-count), "-1"]) { [unowned self] reply in
            var restored = HistoryRing(capacity: count)
            for text in reply?.texts ?? [] { if let sample = HistorySample(text: text) { restored.append(sample) } }
            for sample in rings[keyPath: ring].since(0) { restored.append(sample) }
            rings[keyPath: ring] = restored
        }
    }

    /// Takes what is so now; at most once a second.
    func take(_ sample: HistorySample) {
        rings.seconds.append(sample)
        unwritten.append(sample)
        if unwritten.count >= History.batch { write("history:seconds", unwritten.map(\.text), History.seconds, 7200) }
        if unwritten.count >= History.batch { unwritten = [] }
        if let start = minute.first, sample.time / 60_000 != start.time / 60_000 { closeMinute() }
        minute.append(sample)
    }

    private func closeMinute() {
        guard let sample = History.summary(minute) else { return }
        minute = []
        rings.minutes.append(sample)
        write("history:minutes", [sample.text], History.minutes, 172_800)
    }

    /// A minute in one sample: of rates their mean, of everything else how it stood at the end.
    static func summary(_ samples: [HistorySample]) -> HistorySample? {
        guard let last = samples.last else { return nil }
        var values = last.values
        for name in Set(samples.flatMap(\.values.keys)) where HistorySample.isRate(name) {
            let known = samples.compactMap { $0.values[name].flatMap { Double($0) } }
            values[name] = "\(((known.reduce(0, +) / Double(max(1, known.count))) * 10).rounded() / 10)"
        }
        return HistorySample(time: last.time / 60_000 * 60_000, values: values)
    }

    private func write(_ key: String, _ texts: [String], _ kept: Int, _ expiry: Int) {
        guard link.isReady, isRestored else { return }
        link.send(["RPUSH", key] + texts)
        link.send(["LTRIM", key, String(-kept), "-1"])
        link.send(["EXPIRE", key, String(expiry)])
    }
}
