import Domain
import Wire

/// What is kept of one moment, to be drawn over time: names to decimal text. Money stays the exact text it is.
///
/// Names: `terminals`, `positions`, `health_score`, `unaccounted` (counts), `ticks_per_s`, `frames_per_s` (rates), and per
/// account currency `equity.<currency>`, `unrealised.<currency>`, `realised.<currency>`.
struct HistorySample: Sendable, Equatable {
    /// Epoch milliseconds.
    let time: Int64
    let values: [String: String]

    /// As it is kept in Redis: one JSON object, the time under `t`.
    var text: String {
        var object: JSONObject = ["t": .integer(time)]
        for (name, value) in values.sorted(by: { $0.key < $1.key }) { object.append(name, .number(value)) }
        return JSON.object(object).compactText
    }

    init(time: Int64, values: [String: String]) {
        self.time = time
        self.values = values
    }

    /// nil for what no dashboard wrote.
    init?(text: String) {
        guard let object = (try? JSON(text))?.object, let time = object["t"]?.text.flatMap({ Int64($0) }) else {
            return nil
        }
        self.time = time
        var values: [String: String] = [:]
        for field in object.fields where field.name != "t" {
            if case .number(let number) = field.value { values[field.name] = number }
        }
        self.values = values
    }

    static func isRate(_ name: String) -> Bool { name.hasSuffix("_per_s") }
}

/// Samples in the order of time, the oldest dropped first.
struct HistoryRing: Sendable {
    let capacity: Int
    private var samples: [HistorySample] = []
    private var first = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { samples.count }
    var oldest: HistorySample? { samples.isEmpty ? nil : samples[first] }
    var last: HistorySample? { samples.isEmpty ? nil : samples[(first + samples.count - 1) % samples.count] }

    /// What is not later than the last one is not taken: a clock that steps back must not draw a loop.
    mutating func append(_ sample: HistorySample) {
        if let last, sample.time <= last.time { return }
        guard samples.count == capacity else { return samples.append(sample) }
        samples[first] = sample
        first = (first + 1) % capacity
    }

    /// Those at or after a time, oldest first.
    func since(_ time: Int64) -> [HistorySample] {
        (0..<samples.count).lazy.map { samples[(first + $0) % samples.count] }.filter { $0.time >= time }
    }
}
