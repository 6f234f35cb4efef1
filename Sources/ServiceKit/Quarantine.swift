import Domain
public import Wire

/// Keeps what could not be read, for a person to look at: a refusal in the report, the frame in `quarantine:<service>`.
///
/// The stream holds about the last 1000 frames, each cut at 512 bytes. While Redis is away the newest wait in memory,
/// and a flood is written at a bounded rate: every frame is counted, not every frame is kept. Owned by the loop's thread.
public final class Quarantine {
    /// Bytes of a frame that are kept.
    public static let keptBytes = 512
    private static let waitingLimit = 256
    private static let writesPerSecond = 100
    /// Distinct reasons in one report: whoever invents reasons from outside can't grow it without end.
    private static let reasonLimit = 200
    private static let otherReason = "other"

    private let redis: RedisLink
    private let report: ServiceReport
    private let key: String
    private var waiting: [[String]] = []
    private var second: Int64 = 0
    private var writesThisSecond = 0

    public init(_ environment: ServiceEnvironment, _ redis: RedisLink) {
        self.redis = redis
        report = environment.report
        key = "quarantine:\(environment.service.rawValue)"
        redis.onReady.append { [weak self] in self?.writeWaiting() }
    }

    /// Counts a refusal by its reason and keeps the frame.
    ///
    /// - Parameters:
    ///   - reason: a stable snake_case word; what varies belongs into `detail`.
    ///   - port: where the frame came in.
    public func keep(reason: String, detail: String, port: PortList.Name, frame: UnsafeBufferPointer<UInt8>) {
        let counted = report.rejected[reason] != nil || report.rejected.count < Quarantine.reasonLimit
        report.reject(counted ? reason : Quarantine.otherReason)
        let now = SystemClock.now()
        if now.seconds != second {
            second = now.seconds
            writesThisSecond = 0
        }
        writesThisSecond += 1
        guard writesThisSecond <= Quarantine.writesPerSecond else { return report.count("quarantine_not_kept") }
        let kept = UnsafeBufferPointer(rebasing: frame.prefix(Quarantine.keptBytes))
        write([
            "reason", reason, "detail", detail, "port", port.rawValue, "bytes", String(frame.count),
            "frame", Quarantine.printable(kept), "time", String(now.milliseconds),
        ])
    }

    public func keep(reason: String, detail: String, port: PortList.Name, frame: [UInt8]) {
        frame.withUnsafeBufferPointer { keep(reason: reason, detail: detail, port: port, frame: $0) }
    }

    /// The same for a frame the decoder refused.
    public func keep(_ reject: EAReject, port: PortList.Name, frame: UnsafeBufferPointer<UInt8>) {
        keep(reason: reject.reason, detail: reject.description, port: port, frame: frame)
    }

    public func keep(_ reject: EAReject, port: PortList.Name, frame: [UInt8]) {
        keep(reason: reject.reason, detail: reject.description, port: port, frame: frame)
    }

    /// ASCII as it is, `\\` for a backslash, `\xHH` for every other byte.
    public static func printable(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\\"): text.append(contentsOf: [byte, byte])
            case 0x20..<0x7F: text.append(byte)
            default:
                text.append(contentsOf: [
                    UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)],
                ])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private func write(_ fields: [String]) {
        guard redis.isReady else { return wait(fields) }
        redis.send(["XADD", key, "MAXLEN", "~", "1000", "*"] + fields) { [weak self] reply in
            if reply == nil { self?.wait(fields) }
        }
    }

    private func wait(_ fields: [String]) {
        if waiting.count >= Quarantine.waitingLimit {
            waiting.removeFirst()
            report.count("quarantine_not_kept")
        }
        waiting.append(fields)
    }

    private func writeWaiting() {
        let kept = waiting
        waiting = []
        for fields in kept { write(fields) }
    }
}
