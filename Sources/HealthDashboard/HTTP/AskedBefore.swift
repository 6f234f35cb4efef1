import Domain
import Redis
import Wire

/// What the newest entries of `events:alert-actions` say of a silence or a window: heartbeat-monitor may not have come to
/// it yet, or has ended it, and forgets then that it was there.
struct AskedBefore {
    enum Standing: Equatable {
        /// Asked for, and neither ended nor past its end.
        case underWay
        /// Somebody ended it, or its time is over.
        case over
        /// None of the entries is about it.
        case unheard
    }

    /// The action that begins one, the one that ends it, and the field of an end that names it.
    let begin: String
    let end: String
    let identifier: String
    /// Whether a scope names it too, `all` where none is given.
    let hasScope: Bool

    static let silence = AskedBefore(begin: "silence", end: "unsilence", identifier: "silence_id", hasScope: false)
    static let maintenance = AskedBefore(
        begin: "maintenance", end: "maintenance_end", identifier: "maintenance_id", hasScope: true)

    /// - Parameter stream: the reply to `XREVRANGE`, newest first.
    func standing(of name: String, _ stream: RedisValue, _ now: Timestamp) -> Standing {
        var ended: Set<String> = []
        for entry in (stream.array ?? []).compactMap({ Happenings.entry($0, stream: "") }) {
            let action = entry["action"]?.text
            if action == end || action == begin && AskedBefore.isEnd(entry) {
                // An end has a stream id of its own, which is nobody's name.
                if let named = entry[identifier]?.text ?? (hasScope ? scope(entry) : nil) { ended.insert(named) }
            } else if action == begin {
                let names = [entry["request_id"]?.text, entry["id"]?.text, hasScope ? scope(entry) : nil]
                    .compactMap { $0 }
                guard names.contains(name) else { continue }
                guard ended.isDisjoint(with: names) else { return .over }
                return AskedBefore.until(entry).map { $0 <= now } ?? false ? .over : .underWay
            }
        }
        return ended.contains(name) ? .over : .unheard
    }

    private func scope(_ entry: JSONObject) -> String { entry["scope"]?.text ?? "all" }

    private static func isEnd(_ entry: JSONObject) -> Bool {
        ["off", "end", "ended"].contains(entry["state"]?.text ?? "")
    }

    private static func until(_ entry: JSONObject) -> Timestamp? {
        func time(_ name: String) -> Timestamp? {
            if let milliseconds = entry["\(name)_ms"]?.text.flatMap({ Int64($0) }) {
                return Timestamp(milliseconds: milliseconds)
            }
            return entry[name]?.text.flatMap { Timestamp(rfc3339: $0) }
        }
        if let until = time("until") { return until }
        guard let minutes = entry["minutes"]?.text.flatMap({ Int64($0) }), (1...527_040).contains(minutes),
            let begin = time("from") ?? time("at")
        else { return nil }
        return begin.adding(milliseconds: minutes * 60_000)
    }
}
