/// `terminal_rate` and `terminal_burst` of `mesh.yaml`, checked.
struct TerminalQuotaSetting {
    /// A terminal that was away for a while sends 1,000 messages a socket at once, and so does a server that stalled.
    static let leastBurst = 2_000
    static let usualRate = 1_000
    static let usualBurst = 10_000

    let rate: Int
    let burst: Int

    init(rate: String?, burst: String?, path: String) throws(ConfigurationError) {
        func number(_ text: String?, _ name: String, default usual: Int) throws(ConfigurationError) -> Int {
            guard let text else { return usual }
            guard let value = Int(text), (0...10_000_000).contains(value) else {
                throw ConfigurationError(path, "'\(name)' must be a number from 0 to 10000000, not '\(text)'")
            }
            return value
        }
        self.rate = try number(rate, "terminal_rate", default: TerminalQuotaSetting.usualRate)
        self.burst = try number(burst, "terminal_burst", default: TerminalQuotaSetting.usualBurst)
        guard self.burst >= TerminalQuotaSetting.leastBurst else {
            throw ConfigurationError(
                path,
                "'terminal_burst' must be \(TerminalQuotaSetting.leastBurst) at least: a terminal's backlog after an "
                    + "outage is normal")
        }
    }
}
