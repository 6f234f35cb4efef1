import Domain
import Glibc
import Wire

/// What happened, one JSON object a line, for tests and for people who look over a terminal's shoulder.
final class EventLog {
    private var descriptor: Int32
    private let isOwned: Bool
    private var buffer: [UInt8] = []

    /// - Parameter path: a file, `-` for standard output, nil for nowhere.
    init(path: String?) throws(SimulatorError) {
        switch path {
        case nil:
            descriptor = -1
            isOwned = false
        case "-"?:
            descriptor = 1
            isOwned = false
        case let path?:
            descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            isOwned = true
            guard descriptor >= 0 else { throw SimulatorError("\(path): \(String(cString: strerror(errno)))") }
        }
    }

    deinit {
        flush()
        if isOwned { close(descriptor) }
    }

    var isOn: Bool { descriptor >= 0 }

    /// - Parameter at: the wall clock.
    func write(_ event: String, at: Timestamp, _ fields: [(String, JSON)] = []) {
        guard isOn else { return }
        var object = JSONObject()
        object.append("event", .string(event))
        object.append("at", .string(at.description))
        for (name, value) in fields { object.append(name, value) }
        buffer.append(contentsOf: object.bytes)
        buffer.append(0x0A)
    }

    /// Whole lines only; called once in each round of the loop.
    func flush() {
        var offset = 0
        while offset < buffer.count, isOn {
            let written = buffer.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
            }
            if written > 0 {
                offset += written
            } else if errno != EINTR {
                // Whoever read the events is gone; the fleet lives on.
                descriptor = -1
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
