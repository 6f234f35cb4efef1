import ArgumentParser
import Domain

/// What happens to the fleet in the course of time.
enum ScenarioName: String, Sendable, CaseIterable, ExpressibleByArgument {
    case day, weekend, restart, silent, storm, demo, flood, backlog
    case switchAccount = "switch-account"
    case halfOpen = "half-open"
}

/// The socket an EA asks for receipts with.
enum ReceiptSocket: String, Sendable, CaseIterable, ExpressibleByArgument { case dealer, req }

/// Which of the field's habits an EA has: everything real is the default. Source: ea-wire 9.
struct SimulatorBehaviour: Sendable {
    var cutsIdentity = true
    /// Read commands each millisecond instead of one per tick of the chart symbol.
    var readsEveryMillisecond = false
    /// How much older the first ticks after a start say they are.
    var staleFirstTicksSeconds: Int64 = 0
    /// Report TP, SL and stop-out closes in the mesh's own form; EAs in the field are silent about them.
    var reportsCloses = false
    /// Ticks queued while the server could not be reached, sent in one burst at the start.
    var backlog = 0
    /// End without a DISCONNECT and without flushing.
    var exitsAbruptly = false
    /// Confirmations go to the acknowledged port, with a sequence number, until they are answered.
    var usesReceipts = false
    var receiptSocket = ReceiptSocket.dealer
    var loseConfirmations = 0.0
    var duplicateConfirmations = 0.0
    /// The broker rejects so many orders.
    var rejectOrders = 0.0
    /// The probability that somebody trades by hand, in each second and terminal.
    var manualTrades = 0.0
    /// Between two charges of swap; 0 is never.
    var swapMilliseconds: Int64 = 0
    /// `TICK {json}`, `OHLC {json}`, `HEARTBEAT {json}`: text some bridges put before the JSON.
    var prefixesText = false
    /// Print a free margin of `-0.00`.
    var hasNegativeZero = false
    var heartbeatSeconds: Int64 = 30
    /// Ticks a second of the terminal that floods.
    var floodRate = 50_000
    /// Connections that end stay ended: one that is left half-open must not come back by itself.
    var isNeverReconnecting = false
}

/// What the fleet did, for the summary.
struct SimulatorStatistics: Sendable, Equatable {
    var connections = 0
    var commandsReceived = 0
    var commandsIgnored = 0
    var fires = 0
    var positionsOpened = 0
    var positionsClosed = 0
    var silentCloses = 0
    var manualOpens = 0
    var manualCloses = 0
    var swapCharges = 0
    var confirmationsSent = 0
    var confirmationsLost = 0
    var confirmationsDuplicated = 0
    var receipts = 0
    var ticksSent = 0
    var barsSent = 0
    var heartbeatsSent = 0
    var timesBlocked = 0
    var orders = 0
    var floodTicks = 0

    /// Names and values in the order they are shown.
    var fields: [(name: String, value: Int)] {
        [
            ("connections", connections), ("commands_received", commandsReceived),
            ("commands_ignored", commandsIgnored), ("fires", fires), ("positions_opened", positionsOpened),
            ("positions_closed", positionsClosed), ("silent_closes", silentCloses), ("manual_opens", manualOpens),
            ("manual_closes", manualCloses), ("swap_charges", swapCharges),
            ("confirmations_sent", confirmationsSent), ("confirmations_lost", confirmationsLost),
            ("confirmations_duplicated", confirmationsDuplicated), ("receipts", receipts), ("ticks_sent", ticksSent),
            ("bars_sent", barsSent), ("heartbeats_sent", heartbeatsSent), ("times_blocked", timesBlocked),
            ("orders_requested", orders), ("flood_ticks", floodTicks),
        ]
    }
}
