import Domain
import ServiceKit
import Trading
import Wire
import ZeroMQ

/// A listener from which one terminal PULLs its commands (2.02, 2.01). It is no libzmq PUSH: that deals round robin to
/// whoever came, says of nobody's handshake whose it was, and can't close a connection. Here each command goes to one
/// connection, which the engine names.
///
/// Owned by the loop's thread.
final class PushListener {
    let entry: PortList.Entry
    /// A PULL's handshake is done.
    var opened: (TerminalLink) -> Void = { _ in }
    var lost: (TerminalLink) -> Void = { _ in }
    var turnedAway: (TerminalLink) -> Void = { _ in }
    private var gate: TerminalGate?
    private var links: [Int32: TerminalLink] = [:]
    /// Those who were asked for a sign of life because a second one came from their machine, with the last moment for it.
    private var asked: [Int32: Int64] = [:]
    private let report: ServiceReport
    /// Within this a connection that lives shows it: libzmq answers by itself, whatever its program does.
    private static let patience: Int64 = 5_000

    init(
        _ environment: ServiceEnvironment, _ entry: PortList.Entry, number: @escaping () -> Int32,
        while isWanted: @escaping () -> Bool
    ) throws {
        self.entry = entry
        report = environment.report
        gate = try TerminalGate(environment, entry, as: .push, number: number, while: isWanted) {
            [unowned self] event in take(event)
        }
        environment.reactor.every(milliseconds: 1000) { [unowned self] in
            giveUp(SystemClock.monotonicMilliseconds())
        }
        if entry.keepAliveSeconds > 0 {
            environment.reactor.every(milliseconds: Int64(entry.keepAliveSeconds) * 1000) { [unowned self] in
                keepAlive()
            }
        }
    }

    func has(_ number: Int32) -> Bool { links[number] != nil }

    func send(_ number: Int32, _ bytes: [UInt8]) -> HandOver { gate?.send(number, bytes) ?? .unreachable }

    private func take(_ event: TerminalGate.Event) {
        switch event {
        case .opened(let link, _):
            askOthers(than: link)
            links[link.number] = link
            opened(link)
        case .alive(let link): asked[link.number] = nil
        case .lost(let link):
            asked[link.number] = nil
            links[link.number] = nil
            lost(link)
        // A PULL has nothing to say.
        case .message: report.reject("message_on_push")
        case .turnedAway(let link, _): turnedAway(link)
        }
    }

    /// A terminal that restarted behind a half-open connection has two: the dead one shows no life, and is closed.
    private func askOthers(than link: TerminalLink) {
        let end = SystemClock.monotonicMilliseconds() + PushListener.patience
        for other in links.values
        where asked[other.number] == nil && NetworkAddress.isSameHost(other.address, link.address) {
            guard gate?.probe(other.number) == true else { continue }
            report.count("connections_probed")
            asked[other.number] = end
        }
    }

    private func giveUp(_ now: Int64) {
        for (number, end) in asked where end <= now {
            asked[number] = nil
            report.count("connections_cut")
            gate?.cut(number)
        }
    }

    /// 7.01 starts over when it hears nothing for 120 s; other families leave a frame without addressee alone.
    private func keepAlive() {
        let frame: JSONObject = [
            "type": .string("heartbeat"), "msg": .string("still alive"),
            "timestamp": .integer(SystemClock.now().seconds),
        ]
        for number in links.keys where send(number, frame.bytes) == .sent { report.count("keep_alives") }
    }
}
