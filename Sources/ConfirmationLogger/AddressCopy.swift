import Dispatch
import Foundation
import Wire

/// The addresses of terminals as a file of this process: frames that come before Redis has answered are judged by it.
///
/// Written on a thread of its own; what a crash loses comes from Redis again. Owned by the loop's thread.
final class AddressCopy {
    private static let maximumBytes = 16 << 20

    private let path: String
    private let queue = DispatchQueue(label: "terminal-addresses")

    init(_ path: String) { self.path = path }

    /// What the last process knew; nil where there is no file that can be read.
    func read() -> [String: String]? {
        guard let data = FileManager.default.contents(atPath: path), data.count <= AddressCopy.maximumBytes,
            let object = (try? JSON(Array(data)))?.object
        else { return nil }
        var addresses: [String: String] = [:]
        for field in object.fields { addresses[field.name] = field.value.text }
        return addresses
    }

    func write(_ addresses: [String: String]) {
        let path = path
        queue.async {
            var object = JSONObject()
            for (user, text) in addresses.sorted(by: { $0.key < $1.key }) { object.append(user, .string(text)) }
            // A copy that can't be written is no harm while Redis has the list.
            try? Data(object.bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        }
    }
}
