import Domain

/// What is known of one user's terminal, from everywhere it is written down.
struct UserFacts: Sendable {
    /// A trade that was sent to the terminal, as far as its punctuality goes.
    struct Fire: Sendable, Equatable {
        var fireID: String
        var isOverdue = false
        var isLate = false
    }

    /// What heartbeat-monitor said of the terminal and is not over.
    struct Alarm: Sendable, Equatable {
        var type: String
        var message: String
        var action: String
    }

    let user: String
    let now: Timestamp
    /// `user:<uuid>`; empty where nobody registered or ever saw the user.
    var row: [String: String] = [:]
    /// `node:<node_id>` of the terminal that stands for the user now; empty where none ever connected.
    var node: [String: String] = [:]
    /// Whether the EA ports can be reached from other machines: unregistered users are not fired at then.
    var isOpenToTheWorld = false
    /// Why it was said to be so; from `fleet_drift`.
    var frozenChart: String?
    var tradingDisabled: String?
    var wrongSymbol: String?
    /// How many terminals of the fleet run which version.
    var versions: [String: Int64] = [:]
    /// Addresses from which confirmations came under the user's name and were not believed.
    var heldAddresses: [String] = []
    /// Whether `handshake-processor` sheds messages of the terminal.
    var isFlooding = false
    /// Peers that `ea-commands` turned away in the last day, since their socket can't be served there.
    var refusedPeers: [String] = []
    /// Who is connected with the account that the user is registered with, where it is somebody else.
    var accountHolder: String?
    /// Known users whose names are nearly the same.
    var similarUsers: [String] = []
    var fires: [Fire] = []
    var alarms: [Alarm] = []

    var isRegistered: Bool { row["registered"] == "1" }
    var isSuspended: Bool { row["state"] == "suspended" }
    var isConnected: Bool { node["status"] == "active" }

    func text(_ name: String) -> String? { node[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// How long ago a time of the node's row was, in words.
    func age(_ name: String) -> String {
        guard let moment = node[name].flatMap({ Int64($0) }), moment > 0 else { return "an unknown time" }
        return Fields.duration(milliseconds: now.milliseconds - moment)
    }
}

/// How far two names are apart: letters to put in, take out or change. Stops counting past a limit.
enum NameDistance {
    static func between(_ one: String, _ other: String, atMost limit: Int) -> Int? {
        let (left, right) = (Array(one.lowercased().utf8), Array(other.lowercased().utf8))
        guard abs(left.count - right.count) <= limit, left.count <= 256, right.count <= 256 else { return nil }
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var next = [index + 1]
            for (place, compared) in right.enumerated() {
                let changed = row[place] + (letter == compared ? 0 : 1)
                next.append(min(changed, row[place + 1] + 1, next[place] + 1))
            }
            row = next
        }
        return row[right.count] <= limit ? row[right.count] : nil
    }
}
