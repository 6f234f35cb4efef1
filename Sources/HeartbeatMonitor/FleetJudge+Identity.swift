import Domain
import Fleet
import Redis
import ServiceKit

/// Doubts about who speaks under a name: one alert for each victim, for as long as the registry says so.
extension FleetJudge {
    private static let reviewMilliseconds: Int64 = 30_000
    private static let reviewsPerRound = 500
    /// A user's nodes that took one another's place are followed so far.
    private static let longestChain = 16
    private static let reviewed = [
        "status", "identity_conflict", "identity_conflict_action", "user_uuid", "account", "server", "broker",
        "replaced_by", "identity_conflict_held_back",
    ]

    /// What is known of a node that is active, or was said of it.
    ///
    /// A user has one node; where it was restarted, its new node tells whether the doubt is over.
    func judgeIdentity(
        _ nodeID: String, _ kind: String, _ action: String?, isHeldBack: Bool, _ detail: LivenessEngine.Detail
    ) {
        let key = FleetJudge.identityKey(nodeID, detail.userUUID)
        guard !kind.isEmpty else { return alerts.resolve(key, "\(nodeID): the conflict is over") }
        var fields = ["node_id": nodeID, "conflict": kind]
        fields["user_uuid"] = detail.userUUID
        fields["account"] = detail.account
        fields["server"] = detail.server
        fields["broker"] = detail.broker
        let what = FleetJudge.conflicts[kind] ?? kind.replacing("_", with: " ")
        alerts.raise(
            Condition(
                key: key, type: "identity_conflict", severity: .critical,
                message: "\(detail.userUUID ?? nodeID): \(what)" + (isHeldBack ? "; nothing is fired at it" : ""),
                fields: fields,
                story: AlertStory(.node, nodeID, cause: what, action: action ?? "")))
    }

    private static func identityKey(_ nodeID: String, _ user: String?) -> String {
        "identity_conflict:\(user ?? nodeID)"
    }

    /// Asks after nodes whose alerts are active: one that was replaced or forgotten is not looked at any more, and news
    /// of it may have been missed. Every half minute, some of them at a time.
    func reviewIdentities() {
        let now = clock.now()
        if let last = identitiesReviewedAt, now - last < FleetJudge.reviewMilliseconds { return }
        identitiesReviewedAt = now
        let open = alerts.engine.active.values.filter { $0.key.hasPrefix("identity_conflict:") }
        let ordered = open.sorted { $0.key < $1.key }
        let later = ordered.filter { $0.key > identityReviewed }
        let chosen = (later.isEmpty ? ordered : later).prefix(FleetJudge.reviewsPerRound)
        identityReviewed = chosen.last?.key ?? ""
        for alert in chosen {
            guard let nodeID = alert.fields["node_id"] else { continue }
            review(alert.key, nodeID)
        }
    }

    private func review(_ key: String, _ nodeID: String, links: Int = 0) {
        redis.send(["HMGET", "node:\(nodeID)"] + FleetJudge.reviewed) { [weak self] reply in
            guard let self, let values = reply?.array, values.count == FleetJudge.reviewed.count else { return }
            guard let status = values[0].text else {
                return alerts.resolve(key, "\(nodeID) is forgotten, and the conflict with it")
            }
            if status == NodeStatus.replaced.rawValue, let next = values[7].text, !next.isEmpty, next != nodeID,
                links < FleetJudge.longestChain
            {
                return review(key, next, links: links + 1)
            }
            let kind = values[1].text ?? ""
            guard !kind.isEmpty, FleetJudge.identityKey(nodeID, values[3].text) == key else {
                return alerts.resolve(key, "\(nodeID): the conflict is over")
            }
            var detail = LivenessEngine.Detail()
            detail.userUUID = values[3].text
            detail.account = values[4].text
            detail.server = values[5].text
            detail.broker = values[6].text
            judgeIdentity(nodeID, kind, values[2].text, isHeldBack: values[8].text != "0", detail)
        }
    }

    private static let conflicts = [
        "shared_identity": "two users are heard on one routing identity",
        "two_addresses": "one user is heard from two addresses, as from a cloned machine",
        "taken_over": "a stranger took its name over",
        "account_on_two_terminals": "one account runs on two terminals",
    ]
}
