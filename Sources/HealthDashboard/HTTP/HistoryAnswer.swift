import Domain
import Wire

/// `/history`: what was measured over time, in columns, so that a picture can be drawn from it at once.
struct HistoryAnswer {
    private let isDay: Bool
    private let points: Int

    static let ranges = ["1h", "24h"]

    init(_ parameters: [String: String]) throws(HTTPProblem) {
        let range = try ListQuery.values(parameters, "range", words: HistoryAnswer.ranges) ?? ["1h"]
        guard range.count == 1 else { throw .badRequest("'range' is one of: 1h 24h") }
        isDay = range.contains("24h")
        points = try ListQuery.number(parameters, "points", 10...3600) ?? 360
    }

    /// `times` and, for each name, as many values; null where nothing was measured: a gap is a gap.
    func document(_ snapshot: Snapshot, now: Timestamp) -> JSON {
        let ring = isDay ? snapshot.history.minutes : snapshot.history.seconds
        let span: Int64 = isDay ? 86_400_000 : 3_600_000
        let start = now.milliseconds - span
        let samples = thinned(ring.since(start), start: start, span: span)
        let names = Set(samples.flatMap(\.values.keys)).sorted()
        var series = JSONObject()
        for name in names {
            series.append(name, .array(samples.map { $0.values[name].map { .number($0) } ?? .null }))
        }
        // A picture that is bare says since when there is anything to draw: before the first sample, since the start.
        let since = ring.oldest.map { Timestamp(milliseconds: $0.time) } ?? snapshot.startedAt
        return .object([
            "now": .string("\(now)"), "since": .string("\(since)"), "range": .string(isDay ? "24h" : "1h"),
            "from": .string("\(Timestamp(milliseconds: start))"),
            "step_s": .integer(max(isDay ? 60 : 1, span / Int64(points) / 1000)),
            "times": .array(samples.map { .string("\(Timestamp(milliseconds: $0.time))") }), "series": .object(series),
        ])
    }

    /// One sample of each step: the last one, except that rates are their mean.
    private func thinned(_ samples: [HistorySample], start: Int64, span: Int64) -> [HistorySample] {
        let step = max(1, span / Int64(points))
        guard samples.count > points else { return samples }
        let steps = Dictionary(grouping: samples) { ($0.time - start) / step }
        return steps.keys.sorted().compactMap { key in
            guard let group = steps[key], let summary = History.summary(group), let last = group.last else {
                return nil
            }
            return HistorySample(time: last.time, values: summary.values)
        }
    }
}
