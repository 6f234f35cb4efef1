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

/// Whether two addresses are of one machine: the same, or of one IPv6 network of 64 bits, whose lower half changes daily.
func sameHost(_ left: String, _ right: String) -> Bool {
    if left == right { return true }
    guard let left = networkPrefix(left), let right = networkPrefix(right) else { return false }
    return left == right
}

/// The upper four groups of an IPv6 address; nil for any other text.
private func networkPrefix(_ address: String) -> [UInt16]? {
    guard address.utf8.contains(UInt8(ascii: ":")) else { return nil }
    var groups: [UInt16] = []
    for part in address.split(separator: ":", omittingEmptySubsequences: false) {
        if part.isEmpty {
            // `::` stands for as many zeros as are missing; in the upper half only four count.
            if groups.isEmpty { continue }
            break
        }
        guard let group = UInt16(part, radix: 16) else { return nil }
        groups.append(group)
    }
    while groups.count < 4 { groups.append(0) }
    return Array(groups.prefix(4))
}
