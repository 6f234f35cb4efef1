import Domain

/// The fields of `bound_accounts`: to whom an operator bound which account.
///
/// `<login>`: everybody bound to that login, for messages whose server nobody knows. `<server>|<login>`: who is bound to
/// it there, or at any server. `|<login>`: who is bound to it at any server, for all other servers. Logins repeat between
/// brokers, and who is bound to one at the first has nothing to say of the same one at the second.
enum BoundAccounts {
    struct Binding {
        let user: String
        let account: String
        /// Nil: whichever server it is at.
        let server: String?
    }

    /// Names and values in turn, in order.
    static func fields(_ bindings: [Binding]) -> [String] {
        var everywhere: [String: Set<String>] = [:]
        for one in bindings where one.server == nil { everywhere[one.account, default: []].insert(one.user) }
        var fields: [String: Set<String>] = [:]
        for one in bindings {
            let name = "|\(KeyPart.encode(one.account))"
            fields[one.account, default: []].insert(one.user)
            guard let server = one.server else {
                fields[name, default: []].insert(one.user)
                continue
            }
            fields[KeyPart.encode(server) + name, default: []]
                .formUnion((everywhere[one.account] ?? []).union([one.user]))
        }
        return fields.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value.sorted().joined(separator: " ")] }
    }
}
