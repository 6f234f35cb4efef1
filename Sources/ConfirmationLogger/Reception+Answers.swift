import Domain
import Journal
import ServiceKit
import Trading
import Wire

// What a message that is on disk is answered, where its sender waits for an answer.
extension Reception {
    func answer(
        _ message: TerminalMessage, _ item: WindowItem, _ frame: AcceptedFrame, _ address: ReturnAddress?
    ) {
        if frame.flags.contains(.foreign), let user = speaker(message) {
            let words = addresses?.objection(to: user, from: frame.peer) ?? "it came from a foreign address"
            return refuse(
                "foreign_address", "\(words): it is kept, and taken in when the terminal itself speaks from there",
                frame, address)
        }
        switch message {
        case .trade where item.isForged:
            refuse(
                "unsigned",
                "'source': 'inferred' is position-tracker's word, signed with \(secret.path); a terminal's own "
                    + "confirmation has no 'source'", frame, address)
        case .trade(let report):
            let isRepeated = item.confirmation.map { book.isRepeated($0) } ?? false
            if isRepeated { self.report.count("repeated") }
            guard let address else { return }
            guard report.isInferred, !isRepeated else {
                return confirm(address, report.sequence, isRepeated: isRepeated)
            }
            // Whether a terminal told it in other words only the booking knows.
            pipeline.whenBooked(frame.sequence) { [weak self] isNew in
                self?.confirm(address, report.sequence, isRepeated: isNew == false)
            }
        case .pong(let pong):
            report.count("pongs")
            publisher.publish(pong, at: frame.receivedAt)
            if let address { confirm(address, FrameReading.number(frame.bytes), isRepeated: false) }
        case .resume(let node):
            report.count("resumes")
            if let address { resume(node, address) }
        case .unknown(HeldRequest.type) where settle(frame, address): break
        case .unknown(let type):
            refuse("unknown_type", "'\(type)' is no message of any version", frame, address)
        case .report, .tick, .bars, .disconnect:
            refuse("wrong_port", "this port takes confirmations; telemetry goes to ea-telemetry", frame, address)
        }
    }

    func refuse(_ reason: String, _ detail: String, _ frame: AcceptedFrame, _ address: ReturnAddress?) {
        quarantine.keep(reason: reason, detail: detail, port: port(frame), frame: frame.bytes)
        if let address { receipts?.fail(address, reason, detail) }
    }

    func port(_ frame: AcceptedFrame) -> PortList.Name {
        frame.source == .receipts ? .eaReceipts : .eaConfirmations
    }
}
