/// Why a frame of an EA port could not be read: what is counted by reason and quarantined.
///
/// `reason` is one of the stable words below; `detail` is a sentence for a person, printable and bounded. `type` is
/// the message type the frame named, where it got that far.
public struct EAReject: Error, Sendable, Equatable, CustomStringConvertible {
    public let reason: String
    public let detail: String
    public var type: String?

    public init(reason: String, detail: String, type: String? = nil) {
        self.reason = reason
        self.detail = detail
        self.type = type
    }

    public var description: String { type.map { "\(reason) in \($0): \(detail)" } ?? "\(reason): \(detail)" }
}

extension EAReject {
    static let emptyFrame = EAReject(reason: "empty_frame", detail: "the frame holds nothing but padding")

    static func tooLong(_ count: Int) -> EAReject {
        EAReject(reason: "too_long", detail: "\(count) bytes; no EA sends more than \(EADecoder.maximumBytes)")
    }

    static func notJSON(_ detail: String) -> EAReject { EAReject(reason: "not_json", detail: detail) }

    static let notAnObject = EAReject(reason: "not_an_object", detail: "JSON, but no object: every message is one")

    static func missing(_ name: String, type: String?) -> EAReject {
        EAReject(reason: "missing_field", detail: "\(name) is missing", type: type)
    }

    static func bad(_ name: String, _ complaint: String, type: String?) -> EAReject {
        EAReject(reason: "bad_value", detail: "\(name) \(complaint)", type: type)
    }

    init(_ error: JSONError) {
        let reason =
            switch error.code {
            case .empty: "empty_frame"
            case .truncated: "truncated"
            case .tooDeep: "too_deep"
            case .notANumber: "not_a_number"
            case .unexpected, .trailing: "not_json"
            }
        self.init(reason: reason, detail: error.description)
    }

    /// Foreign text made fit for a log line: bounded, nothing unprintable.
    static func quote(_ text: String) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(40) {
            shown.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
        }
        return "'\(String(shown))'"
    }
}
