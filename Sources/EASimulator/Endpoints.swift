import ServiceKit

/// Where a terminal's sockets connect to.
struct Endpoints: Sendable, Equatable {
    var commands: String
    var telemetry: String
    var confirmations: String
    var receipts: String
    /// Where EAs that PULL find a PUSH: everybody's, and those that are one user's.
    var push: String?
    var pushOfUser: [String: String] = [:]
    /// Only the order bot of `--fire-every` uses it.
    var orders: String

    init(commands: String, telemetry: String, confirmations: String, receipts: String, orders: String) {
        self.commands = commands
        self.telemetry = telemetry
        self.confirmations = confirmations
        self.receipts = receipts
        self.orders = orders
    }

    init(ports: PortList, host: String) {
        func endpoint(_ name: PortList.Name) -> String { "tcp://\(host):\(ports[name].port)" }
        self.init(
            commands: endpoint(.eaCommands), telemetry: endpoint(.eaTelemetry),
            confirmations: endpoint(.eaConfirmations), receipts: endpoint(.eaReceipts), orders: endpoint(.orders))
        for entry in ports.listeners(serving: .eaCommands) where entry.socket == .push {
            if let user = entry.user {
                pushOfUser[user] = "tcp://\(host):\(entry.port)"
            } else {
                push = "tcp://\(host):\(entry.port)"
            }
        }
    }

    /// EAs have one address compiled in; whoever serves several families sends some of them elsewhere on the way.
    func commands(of profile: TerminalProfile) -> String {
        guard !profile.version.isDealer else { return commands }
        return pushOfUser[profile.userUUID.text] ?? push ?? commands
    }
}
