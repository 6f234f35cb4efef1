import Domain
import Foundation

/// What the supervisor's `finish` script noted in `<var>/run/<service>.exits`, as far as `/services` tells it.
///
/// A line: `EPOCH_SECONDS EXIT_CODE SIGNAL PID LIVED_SECONDS KIND RESTARTS PAUSE_SECONDS`, see deploy/runit/finish.
struct ExitRecord: Sendable, Equatable {
    struct Exit: Sendable, Equatable {
        let time: Timestamp
        let exitCode: Int
        let signal: Int
        let livedSeconds: Int
        /// `stopped`, `died` or `alarm`.
        let kind: String
    }

    var restarts = 0
    var lastExit: Exit?
    /// The service keeps dying and the supervisor pauses between its starts.
    var isAlarmed = false

    init() {}

    /// Lines that can't be read are passed over: a torn last line must not hide the others.
    init(text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 8, let seconds = Int64(words[0]), let code = Int(words[1]), let signal = Int(words[2]),
                let lived = Int(words[4]), let count = Int(words[6])
            else { continue }
            restarts = count
            isAlarmed = words[5] == "alarm"
            // `started` marks a new supervisor, not an end.
            guard words[5] != "started" else { continue }
            lastExit = Exit(
                time: Timestamp(seconds: seconds), exitCode: code, signal: signal, livedSeconds: lived,
                kind: String(words[5]))
        }
    }

    /// The record of a service; an empty one where none was kept.
    static func read(directory: String, service: ServiceName) -> ExitRecord {
        let path = "\(directory)/\(service.rawValue).exits"
        guard let data = FileManager.default.contents(atPath: path) else { return ExitRecord() }
        return ExitRecord(text: String(decoding: data, as: UTF8.self))
    }
}
