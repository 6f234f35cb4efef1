/// An expert advisor on a chart: MetaTrader calls it, one event at a time.
protocol Expert: AnyObject {
    /// OnInit, once the sockets are there.
    func start()
    /// OnTick: the chart's symbol was quoted.
    func onTick()
    /// OnTimer.
    func onTimer()
    /// One frame from the command socket.
    func receive(_ frame: [UInt8])
    /// The connection was closed and opened again without a new start.
    func reconnected()
    /// OnDeinit. Source of the texts: MQL5 reference, "Uninitialization reason codes".
    func stop(reason: TerminalText)
    /// What was queued while the server was away: so many old ticks, in order, in one burst.
    func sendBacklog(_ count: Int)
    /// A tick of the chart's symbol; nil while there is no quote.
    func chartTickText() -> [UInt8]?
    /// Only where the fleet is told to report what real EAs are silent about.
    func report(_ closed: ClosedPosition)
    /// Whether commands are read at any time, not only at a tick.
    var readsBetweenTicks: Bool { get }
}
