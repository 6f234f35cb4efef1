import Domain
import Fleet
import Foundation
import ServiceKit
import Wire

/// What outlets have not taken yet, on disk: a file of lines, so that a restart sends it and sends it once.
///
/// `{"n":1,"outlet":…,"alert_id":…,"at":ms,"body":…}` is a message, `{"done":1}` the end of one. It is written anew when
/// most of it is done. A disk that was full is tried again (``mend()``): nothing of what waits is lost by it while the
/// process lives. Small appends to the page cache, not waited for: a crash of the machine may lose the last ones.
final class Spool {
    private static let renewAfter = 2_000
    private static let longest = 64 << 20

    private let path: String
    var handle: FileHandle?
    private(set) var lastNumber: Int64 = 0
    private(set) var isBroken = false
    private var lines = 0
    private var open: [Int64: String] = [:]

    /// Reads what was left; lines that are no message, such as the torn last one, are passed over.
    init(path: String) {
        self.path = path
    }

    func load() -> [Delivery] {
        var found: [Int64: Delivery] = [:]
        if let data = FileManager.default.contents(atPath: path), data.count <= Spool.longest {
            for line in data.split(separator: 0x0A) {
                guard let object = (try? JSON(Array(line)))?.object else { continue }
                if let done = object["done"]?.text.flatMap({ Int64($0) }) {
                    found[done] = nil
                    lastNumber = max(lastNumber, done)
                } else if let delivery = Spool.delivery(object) {
                    found[delivery.number] = delivery
                    lastNumber = max(lastNumber, delivery.number)
                }
            }
        }
        let waiting = found.values.sorted { $0.number < $1.number }
        for delivery in waiting { open[delivery.number] = Spool.line(delivery) }
        renew()
        return waiting
    }

    func nextNumber() -> Int64 {
        lastNumber += 1
        return lastNumber
    }

    func add(_ delivery: Delivery) {
        let line = Spool.line(delivery)
        open[delivery.number] = line
        append(line)
    }

    func finish(_ number: Int64) {
        open[number] = nil
        append("{\"done\":\(number)}")
        if lines > Spool.renewAfter, open.count * 2 < lines { renew() }
    }

    private func append(_ line: String) {
        lines += 1
        // After a failed write the file may end in half a line: it is written anew before anything is added.
        guard !isBroken, let handle else { return isBroken = true }
        do {
            try handle.write(contentsOf: Data((line + "\n").utf8))
        } catch {
            isBroken = true
        }
    }

    /// Writes what waits anew where writing had failed; to be called every few seconds.
    func mend() { if isBroken { renew() } }

    /// Writes what is open to a new file that takes the old one's place.
    private func renew() {
        let text = open.sorted { $0.key < $1.key }.map { $0.value + "\n" }.joined()
        // The number goes on where it was, even after everything was sent.
        let head = "{\"done\":\(lastNumber)}\n"
        let directory = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let temporary = path + ".new"
        let contents = Data((head + text).utf8)
        guard let file = Spool.write(contents, to: temporary), rename(temporary, path) == 0 else {
            isBroken = true
            unlink(temporary)
            return
        }
        try? handle?.close()
        handle = file
        lines = open.count + 1
        isBroken = false
    }

    /// A new file with these contents, all of them; nil where that failed, as on a full disk.
    private static func write(_ contents: Data, to path: String) -> FileHandle? {
        unlink(path)
        guard
            FileManager.default.createFile(
                atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: path)
        else { return nil }
        do {
            try file.write(contentsOf: contents)
            return file
        } catch {
            try? file.close()
            return nil
        }
    }

    private static func line(_ delivery: Delivery) -> String {
        let object: JSONObject = [
            "n": .integer(delivery.number), "outlet": .string(delivery.outlet), "alert_id": .string(delivery.alertID),
            "at": .integer(delivery.createdAt.milliseconds), "body": .string(delivery.body),
        ]
        return object.compactText
    }

    private static func delivery(_ object: JSONObject) -> Delivery? {
        guard let number = object["n"]?.text.flatMap({ Int64($0) }), let outlet = object["outlet"]?.text,
            let alert = object["alert_id"]?.text, let at = object["at"]?.text.flatMap({ Int64($0) }),
            let body = object["body"]?.text
        else { return nil }
        return Delivery(
            number: number, outlet: outlet, alertID: alert, body: body, createdAt: Timestamp(milliseconds: at))
    }
}
