import ServiceKit

/// Where a terminal's sockets connect to.
struct Endpoints: Sendable, Equatable {
    var commands: String
    var telemetry: String
    var confirmations: String
    var receipts: String
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
    }
}
