import ArgumentParser

/// What 2.05 does when the broker closes a position by itself.
enum CloseReporting: String, EnumerableFlag {
    case silentStops, reportCloses

    static func help(for value: CloseReporting) -> ArgumentHelp? {
        switch value {
        case .silentStops: "TP, SL and stop-out closes happen without a message, as in the field (default)."
        case .reportCloses: "They are reported as position_closed."
        }
    }
}

/// Switches for the field's habits: what is real is on, what is not has to be asked for.
struct HabitArguments: ParsableArguments {
    @Flag(help: "Use the whole UUID as ZeroMQ identity; 2.05 loses the last character.") var noIdentityCut = false
    @Flag(help: "Read commands each millisecond instead of one per tick of the chart's symbol.")
    var readEveryMillisecond = false
    @Option(help: "The first ticks after a start say they are so many seconds older.") var staleFirstTicks: Int64 = 0
    @Flag var closes: CloseReporting = .silentStops
    @Option(help: "Ticks queued during an outage, sent in one burst at the start.") var backlog = 0
    @Flag(help: "End without a DISCONNECT, as a killed terminal does.") var abruptExit = false
    @Flag(help: "Send confirmations to the acknowledged port, numbered, until answered.") var receipts = false
    @Option(help: "The probability that a confirmation, of a fire or a close, is lost, 0 to 1.") var loseConfirmations =
        0.0
    @Option(help: "The probability that a confirmation is sent twice, 0 to 1.") var duplicateConfirmations = 0.0
    @Option(help: "The probability that the broker rejects an order, 0 to 1.") var rejectOrders = 0.0
    @Option(help: "How receipts are asked for: dealer or req.") var receiptSocket: ReceiptSocket = .dealer
    @Option(help: "The probability, each second, that a trader opens or closes something by hand, 0 to 1.")
    var manualTrades = 0.0
    @Option(help: "Seconds between two charges of swap on open positions; 0 is never.") var swapCharges = 0.0
    @Flag(help: "Write 'TICK ', 'OHLC ' and 'HEARTBEAT ' before the JSON, as some bridges expect.")
    var textPrefixes = false
    @Flag(help: "Print a free margin of -0.00.") var negativeZero = false
    @Option(help: "Seconds of quote time between heartbeats.") var heartbeatSeconds: Int64 = 30

    func check() throws {
        let probabilities = [loseConfirmations, duplicateConfirmations, rejectOrders, manualTrades]
        guard probabilities.allSatisfy({ (0...1).contains($0) }) else {
            throw ValidationError("probabilities are 0 to 1")
        }
        guard (0...1_000_000).contains(backlog) else { throw ValidationError("--backlog must be 0 to 1,000,000") }
        guard (0...1e6).contains(swapCharges) else { throw ValidationError("--swap-charges must be 0 to 1,000,000") }
        guard heartbeatSeconds > 0 else { throw ValidationError("--heartbeat-seconds must be above 0") }
    }

    func apply(to behaviour: inout SimulatorBehaviour) {
        behaviour.cutsIdentity = !noIdentityCut
        behaviour.readsEveryMillisecond = readEveryMillisecond
        behaviour.staleFirstTicksSeconds = staleFirstTicks
        behaviour.reportsCloses = closes == .reportCloses
        behaviour.backlog = backlog
        behaviour.exitsAbruptly = abruptExit
        behaviour.usesReceipts = receipts
        behaviour.loseConfirmations = loseConfirmations
        behaviour.duplicateConfirmations = duplicateConfirmations
        behaviour.rejectOrders = rejectOrders
        behaviour.receiptSocket = receiptSocket
        behaviour.manualTrades = manualTrades
        behaviour.swapMilliseconds = Int64(swapCharges * 1000)
        behaviour.prefixesText = textPrefixes
        behaviour.hasNegativeZero = negativeZero
        behaviour.heartbeatSeconds = heartbeatSeconds
    }
}
