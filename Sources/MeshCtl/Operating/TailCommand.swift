import ArgumentParser
import Domain
import ServiceKit
import Wire
import ZeroMQ

/// `meshctl tail`.
struct TailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Print what a publishing port sends, one line a message.",
        discussion: """
            Ports that publish: signals, market-relay, node-alerts, citadel-alerts, trade-events. Ends with Ctrl-C.
            Control characters are shown as escapes. What was sent before isn't seen.

            Examples:
              meshctl tail market-relay --count 10
              meshctl tail trade-events --prefix TRADE_EVENT
            """)

    @Argument(help: "The port's name.") var port: String
    @Option(help: "End after so many messages.") var count: Int?
    @Option(help: "Only messages that begin with this.") var prefix = ""
    @Option(help: "End after so many seconds.") var seconds: Double?
    @OptionGroup var query: QueryOptions

    func validate() throws {
        guard count ?? 1 > 0 else { throw ValidationError("--count must be above 0") }
        guard seconds.map({ $0 > 0 && $0 < 1e7 }) ?? true else { throw ValidationError("--seconds must be above 0") }
    }

    func run() throws {
        let mesh = try query.mesh()
        let publishers = mesh.configuration.ports.entries.filter { $0.socket == .pub }
        guard let entry = publishers.first(where: { $0.name.rawValue == port }) else {
            let names = publishers.map(\.name.rawValue).joined(separator: ", ")
            throw ValidationError("'\(port)' does not publish; those that do: \(names)")
        }
        guard Processes.listeningSockets()[entry.port] != nil else {
            throw ToolError(
                ExitStatus.unavailable,
                "nobody listens on port \(entry.port), \(entry.name.rawValue): is the mesh running? meshctl status")
        }
        try follow(mesh.configuration.connectEndpoint(entry.name))
    }

    private func follow(_ endpoint: String) throws {
        let signals = TerminationSignals()
        let socket = try ZMQSocket(ZMQContext(), .subscribe, SocketProfile.subscriber)
        try socket.connect(endpoint)
        try socket.subscribe(prefix)
        let message = ZMQMessage()
        let end = seconds.map { SystemClock.monotonicMilliseconds() + Int64($0 * 1000) }
        var left = count ?? .max
        while left > 0 {
            while left > 0, let frames = try socket.receiveFrames(message) {
                let line = query.json ? TailCommand.json(frames, now: SystemClock.now()) : TailCommand.text(frames)
                guard Output.write(line: line) else { return }
                left -= 1
            }
            let wait = end.map { max(0, $0 - SystemClock.monotonicMilliseconds()) }
            if left == 0 || wait == 0 { return }
            var items = [PollItem(socket: socket), PollItem(descriptor: signals.descriptor)]
            _ = try poll(&items, timeout: wait.map { Int($0) } ?? -1)
            if signals.take() != nil { return }
        }
    }

    static func text(_ frames: [[UInt8]]) -> String {
        frames.map { TerminalText.sanitised(bytes: $0) }.joined(separator: " | ")
    }

    /// When it came, its topic where it has one, and the message: as JSON where it is that, else as text.
    static func json(_ frames: [[UInt8]], now: Timestamp) -> String {
        let frame = frames.last ?? []
        var line: JSONObject = ["received_at": .string("\(now)")]
        let space = frame.firstIndex(of: UInt8(ascii: " ")) ?? 0
        if let message = try? JSON(frame) {
            line.append("message", message)
        } else if space > 0, let message = try? JSON(Array(frame[(space + 1)...])) {
            line.append("topic", .string(String(decoding: frame[..<space], as: UTF8.self)))
            line.append("message", message)
        } else {
            line.append("text", .string(frame.withUnsafeBufferPointer { ForeignText.decode($0) }))
        }
        return line.compactText
    }
}
