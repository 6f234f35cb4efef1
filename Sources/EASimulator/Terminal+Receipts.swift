import Wire
import ZeroMQ

/// The acknowledged port, for EAs that use it.
extension Terminal {
    func startReceipts(_ zeroMQ: ZMQContext, _ endpoints: Endpoints) throws(ZMQError) {
        guard context.behaviour.usesReceipts || profile.version == .own, profile.version != .v701 else { return }
        receipts = try ReceiptChannel(
            zeroMQ, endpoint: endpoints.receipts, nodeID: nodeID, kind: context.behaviour.receiptSocket)
        // What the run before could not deliver, under this node's numbers.
        for confirmation in unsent { receipts?.add(confirmation) }
        unsent = []
    }

    func stopReceipts() {
        unsent += receipts?.unanswered ?? []
        receipts = nil
    }

    /// Whether nothing waits for a receipt; a terminal that hangs is not waited for.
    var isSettled: Bool { state == .silent || receipts?.isIdle ?? true }

    func serveReceipts() throws(ZMQError) {
        guard receipts != nil, state == .running else { return }
        while let answer = try receipts?.receive() {
            switch answer {
            case .stored(let sequence, let isDuplicate):
                context.statistics.receipts += 1
                context.log("receipt", self, [("seq", .integer(sequence)), ("duplicate", .bool(isDuplicate))])
            case .refused(let sequence, let reason):
                context.log("receipt_refused", self, [("seq", .integer(sequence)), ("reason", .string(reason))])
            case .delayed(let reason): context.log("receipt_delayed", self, [("reason", .string(reason))])
            case .resumed(let next): context.log("receipts_resumed", self, [("next_seq", .integer(next))])
            }
        }
        guard receipts?.isDue(now: context.monotonic) == true else { return }
        let isLost = happens(context.behaviour.loseConfirmations)
        try receipts?.send(now: context.monotonic, isLost: isLost)
    }
}
