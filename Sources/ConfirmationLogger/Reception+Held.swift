import ServiceKit
import Wire

// What an operator says of confirmations that are held.
extension Reception {
    /// False where it is not signed as his.
    func settle(_ frame: AcceptedFrame, _ address: ReturnAddress?) -> Bool {
        guard let address, FrameReading.isSigned(frame.bytes, frame.flags, secret),
            let request = HeldRequest(frame.bytes, now: SystemClock.now())
        else { return false }
        // One of them may be the stranger for whom all this is done.
        let held = addresses?.heldAddresses(of: request.user) ?? []
        guard !request.isAccepted || request.address != nil || held.count <= 1 else {
            receipts?.fail(
                address, "several_addresses",
                "held of '\(request.user)' from \(held.prefix(20).joined(separator: ", ")): say which with --address")
            return true
        }
        addresses?.settle(request.user, from: request.address, isAccepted: request.isAccepted) { [weak self] found in
            guard let found else {
                self?.receipts?.fail(address, "state_unavailable", "Redis did not answer; say it again")
                return
            }
            self?.report.count(request.isAccepted ? "held_accepted" : "held_dropped", Int64(found.messages))
            self?.receipts?.reply(
                address,
                [
                    "user_uuid": .string(request.user), "messages": .integer(found.messages),
                    "addresses": .integer(found.addresses),
                ])
        }
        return true
    }
}
