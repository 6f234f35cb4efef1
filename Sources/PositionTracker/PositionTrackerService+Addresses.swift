import Domain
import Redis
import ServiceKit
import Trading

// From where users are believed, for others to judge by (`terminal_addresses`): kept whole.
extension PositionTrackerService {
    /// From where a user is believed: what he is bound to, else where his terminal was heard; nil where from anywhere.
    private func believedAddresses(of user: String) -> String? {
        switch engine.users[user]?.addresses ?? .learned {
        case .any: nil
        case .only(let list): list.joined(separator: ",")
        case .learned: engine.terminals.learnedAddress(of: user)
        }
    }

    func keepAddress(of user: String) {
        // Not before what is kept was read: that is what he is judged by.
        guard redis.isReady, isLoaded else { return }
        // Whoever may speak from anywhere is not judged by an address, by us or by others.
        guard let text = believedAddresses(of: user) else { return forget(addressOf: user) }
        write(addresses: [(user, text)], isWhole: false)
    }

    /// A Redis that was emptied, or has something else, gets them again: without them anybody would be believed from
    /// anywhere, and whoever is in it and should not be is believed from nowhere else.
    func keepAddresses() {
        guard redis.isReady, isLoaded, !isWritingAddresses else { return }
        redis.send(["HGETALL", PositionTrackerService.addressesKey]) { [unowned self] reply in
            guard let reply, let kept = AddressListScript.list(reply), redis.isReady else { return }
            let known = knownAddresses()
            var wanted = Dictionary(uniqueKeysWithValues: known.map { ($0.user, $0.addresses) })
            wanted[TerminalAddressBook.marker] = ""
            guard kept != wanted else { return }
            report.count("addresses_rewritten")
            // Also where nobody is in it any more: whoever reads it would go on with what it was.
            write(addresses: known, isWhole: true)
        }
    }

    private func knownAddresses() -> [(user: String, addresses: String)] {
        engine.terminals.addressed.union(engine.users.keys).sorted().compactMap { user in
            believedAddresses(of: user).map { (user, $0) }
        }
    }

    private func write(addresses rows: [(user: String, addresses: String)], isWhole: Bool) {
        guard redis.isReady, !isWhole || !isWritingAddresses else { return }
        if isWhole { isWritingAddresses = true }
        let values = AddressListScript.values(
            isWhole: isWhole, seconds: PositionTrackerService.identitySeconds, rows)
        redis.run(addressList, keys: [PositionTrackerService.addressesKey], values) { [unowned self] reply in
            if isWhole { isWritingAddresses = false }
            // The list is gone, or was never there.
            guard reply?.integer == 0, isLoaded else { return }
            write(addresses: knownAddresses(), isWhole: true)
        }
    }

    private func forget(addressOf user: String) {
        if redis.isReady { redis.send(["HDEL", PositionTrackerService.addressesKey, user]) }
    }

    // MARK: - Accounts

    /// The users an operator bound to an account, with spaces between them; confirmation-logger reads it. Three kinds of
    /// fields: `<login>` everybody bound to that login, for messages whose server nobody knows; `<server>|<login>` who is
    /// bound to it there or at any server; `|<login>` who is bound at any server, for every other one.
    static let boundAccountsKey = "bound_accounts"

    /// Written whole in one step, when it changed or Redis has fewer.
    func keepBoundAccounts() {
        guard redis.isReady, isLoaded else { return }
        let rows = BoundAccounts.fields(
            engine.users.compactMap { name, user in
                user.account.map { BoundAccounts.Binding(user: name, account: $0, server: user.server) }
            })
        redis.send(["HLEN", PositionTrackerService.boundAccountsKey]) { [unowned self] reply in
            guard let count = reply?.integer, count * 2 != rows.count || rows != boundAccounts, redis.isReady else {
                return
            }
            let values = [PositionTrackerService.identitySeconds] + rows
            redis.run(accountList, keys: [PositionTrackerService.boundAccountsKey], values) { [unowned self] reply in
                if reply?.integer == 1 { boundAccounts = rows }
            }
        }
    }
}
