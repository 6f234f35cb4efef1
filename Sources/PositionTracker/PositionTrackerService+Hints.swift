import Domain
import Trading

// What to do next, in the words of an answer that could not be a better one.
extension PositionTrackerService {
    private static let named = 8

    /// For a close of a ticket that our books do not have open.
    func ticketHint(_ ticket: Int64, of user: String) -> String {
        if let other = engine.positions.values.first(where: { $0.key.ticket == ticket }) {
            return "\(ticket) is open for '\(other.userUUID)', not for '\(user)'"
        }
        let open = engine.positions.values.filter { $0.userUUID == user }.map(\.key.ticket).sorted()
        let known =
            open.isEmpty
            ? "he has none open here"
            : "open here: \(PositionTrackerService.list(open.map(String.init)))"
        return "no open position \(ticket) of '\(user)' is known here; \(known); "
            + "\"force\": true (meshctl close --force) tells his terminal to close it all the same"
    }

    /// For a fire that can't be settled.
    func settleHint(_ fireID: String) -> String {
        guard let fire = engine.fires[fireID] else {
            return "'\(fireID)' is not under way: it never was, or it is over; 'meshctl explain \(fireID)' tells"
        }
        switch fire.state {
        case .sent:
            return
                "'\(fireID)' is sent and its answer may still come; it can be settled once its deadline made it unknown"
        case .reserved: return "'\(fireID)' still waits here: withdraw it"
        default: return "'\(fireID)' is \(fire.state.rawValue); only one whose outcome is unknown can be settled"
        }
    }

    /// For a fire that can't be taken back.
    func withdrawHint(_ fireID: String) -> String {
        guard let fire = engine.fires[fireID] else {
            return "'\(fireID)' does not wait here: it never was, or it is over; 'meshctl explain \(fireID)' tells"
        }
        return "'\(fireID)' is \(fire.state.rawValue): it has left and can't be taken back; what it opens can be closed"
    }

    /// For a brake that covers nobody at present: it is in force for whoever comes.
    func brakeWarning(_ scope: BrakeScope, covered: Int) -> String? {
        guard covered == 0 else { return nil }
        let head = "no terminal is covered now; it is in force for whoever comes"
        switch scope {
        case .broker(let name):
            let known = Set(engine.terminals.byUser.values.compactMap(\.server)).sorted()
            guard !known.contains(name) else { return head }
            return known.isEmpty
                ? "\(head): no broker's server is known yet"
                : "\(head): no terminal's server is '\(name)'; known: \(PositionTrackerService.list(known))"
        case .tier:
            let tiers = Set(
                engine.terminals.byUser.keys.map { engine.user($0, now: .init(milliseconds: 0)).tier })
            return tiers.isEmpty
                ? head : "\(head); tiers with terminals: \(PositionTrackerService.list(tiers.sorted()))"
        case .all, .symbol, .user: return head
        }
    }

    private static func list(_ names: [String]) -> String {
        let rest = names.count - named
        return names.prefix(named).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
