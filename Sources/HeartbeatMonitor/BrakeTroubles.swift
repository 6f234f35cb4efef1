import Domain
import Fleet
import ServiceKit

/// Brakes that are on, as conditions for alerts: what was pulled automatically is a trouble, what somebody set is a reminder.
///
/// Read from the hash `brake` and not from position-tracker's report: a brake holds while that service is down.
struct BrakeTroubles {
    private static let scopes: [Substring: String] = ["broker": "server", "user": "user_uuid"]
    private(set) var automatic: [Condition] = []
    private(set) var byHand: [Condition] = []

    /// - Parameters:
    ///   - brakes: scope -> `STATE|since|reason`.
    ///   - reason: why position-tracker put the brake on by itself, if it did.
    init(_ brakes: [String: String], automatic reason: String?) {
        for (scope, text) in brakes.sorted(by: { $0.key < $1.key }).prefix(1_000) {
            let parts = text.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] != "ACTIVE" else { continue }
            note(scope, String(parts[0]), String(parts[2]), isAutomatic: scope == "all" && parts[2] == reason ?? "")
        }
    }

    private mutating func note(_ scope: String, _ state: String, _ reason: String, isAutomatic: Bool) {
        guard !isAutomatic else {
            let tracker = ServiceName.positionTracker.rawValue
            return automatic.append(
                Condition(
                    key: "brake:\(tracker)", type: "brake", severity: .critical,
                    message: "the brake was pulled automatically: \(reason)", fields: ["service": tracker],
                    story: AlertStory(.mesh, "", cause: reason)))
        }
        var fields = ["brake_scope": scope, "brake_state": state]
        if let colon = scope.firstIndex(of: ":"), let name = BrakeTroubles.scopes[scope[..<colon]] {
            fields[name] = String(scope[scope.index(after: colon)...])
        }
        let effect = state == "HALTED" ? "nothing is sent to its terminals" : "only closes are sent to its terminals"
        byHand.append(
            Condition(
                key: "brake_on:\(scope)", type: "brake_on", severity: state == "HALTED" ? .warning : .info,
                message: "the brake is \(state) for \(scope): \(reason); \(effect)", fields: fields,
                story: AlertStory(.mesh, "", cause: reason)))
    }
}
