import Domain

extension TerminalClaim {
    /// Whether an operator said from where this user speaks.
    var isBound: Bool { if case .only = rule { true } else { false } }

    /// What speaks against it, in words.
    func complaint(about address: String) -> String? {
        if case .only(let list) = rule, !list.contains(where: { sameHost($0, address) }) {
            return "and is bound to \(list.joined(separator: ", "))"
        }
        if let boundAccount, let account, account != boundAccount {
            return "with account \(account), and is bound to \(boundAccount)"
        }
        if let boundServer, let server, server != boundServer {
            return "with server \(server), and is bound to \(boundServer)"
        }
        return nil
    }
}

/// Whether an address is one of those a terminal is known at.
func sameHost(_ known: String, _ address: String) -> Bool { NetworkAddress.isIn(known, address) }
