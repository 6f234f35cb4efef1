/// What is wrong with one user's terminal, and what the user should click. A pure judgement over facts: the worst first.
///
/// Clicks are those of MetaTrader 5. What an operator has to do is said as a command.
struct UserJudgement {
    let facts: UserFacts

    init(_ facts: UserFacts) { self.facts = facts }

    /// Never empty. The first line says who it is where nothing is wrong.
    var findings: [Finding] {
        guard !facts.node.isEmpty else { return [neverConnected] }
        let troubles =
            [
                conflict, version, suspended, silence, wrongAccount, fencedAddress, tradingDisabled, deadline,
                frozenQuotes,
                wrongSymbol, unregistered, flooding,
            ].compactMap { $0 } + otherAlarms
        let isWell = !troubles.contains { $0.verdict != .good }
        return (isWell ? [terminal] + troubles : troubles.sorted(by: isWorse) + [terminal])
    }

    private func isWorse(_ left: Finding, _ right: Finding) -> Bool { left.verdict > right.verdict }

    // MARK: - Who it is

    private var terminal: Finding {
        let node = facts.node
        let account = "\(node["account"] ?? "no account") at \(node["server"] ?? node["broker"] ?? "an unknown server")"
        var words = "\(facts.text("node_id") ?? "-"), account \(account), EA \(node["version"] ?? "of unknown version")"
        words += ", heard \(facts.age("last_seen")) ago"
        return .good("terminal", words)
    }

    private var neverConnected: Finding {
        let name = facts.user
        if let holder = facts.accountHolder {
            return .critical(
                "wrong UUID",
                "account \(facts.row["account"] ?? "") of '\(name)' is connected under another name: '\(holder)'",
                "in MetaTrader 5: File > Open Data Folder, then MQL5, Files, bitten_deployment.cfg: its last line must be "
                    + "UUID=\(name). Save it, then take the EA off its chart and put it on again")
        }
        guard !facts.row.isEmpty else {
            let hint = facts.similarUsers.isEmpty ? "" : "; there is " + facts.similarUsers.joined(separator: ", ")
            return .critical(
                "unknown user", "nobody was ever registered or heard as '\(name)'\(hint)",
                facts.similarUsers.isEmpty
                    ? "check the name (meshctl user find TEXT), or register it: meshctl user add \(name)"
                    : "check the name: meshctl user find TEXT")
        }
        var clicks =
            "in MetaTrader 5: File > Open Data Folder, then MQL5, Files, bitten_deployment.cfg: its last line must be "
            + "UUID=\(name). Tools > Options > Expert Advisors: tick 'Allow algorithmic trading' and 'Allow DLL "
            + "imports'. Drag the EA from the Navigator onto one chart that ticks; the tab Experts must show no error. If "
            + "it shows none, the way here is closed: firewall, and meshctl start --listen"
        if !facts.refusedPeers.isEmpty {
            clicks +=
                ". A terminal at \(facts.refusedPeers.prefix(3).joined(separator: ", ")) was turned away: if that "
                + "is the user's, its EA is too old to be commanded; install EA 2.05"
        }
        return .critical(
            "never connected", "'\(name)' is registered, and no terminal ever came under that name", clicks)
    }

    // MARK: - What keeps it from trading

    private var conflict: Finding? {
        guard let kind = facts.text("identity_conflict") else { return nil }
        let text = facts.text("identity_conflict_text") ?? kind
        let isHeldBack = facts.node["identity_conflict_held_back"] != "0"
        let action = facts.text("identity_conflict_action") ?? "close every copy of the terminal but one"
        let words = "\(text)" + (isHeldBack ? "; nothing is sent to it meanwhile" : "")
        return Finding(
            verdict: isHeldBack ? .critical : .warning, subject: "identity conflict", text: words,
            remedy: "\(action). Once it is settled: meshctl nodes clear \(facts.user) --reason TEXT")
    }

    private var version: Finding? {
        let version = facts.node["version"] ?? "unknown"
        if facts.node["hears_commands"] == "no" {
            let why = facts.text("hears_commands_reason") ?? "it hears no commands"
            return .critical(
                "wrong version", "EA \(version) can't be fired at: \(why)",
                "in MetaTrader 5: right-click the chart, Expert List, Remove; put EA 2.05 into MQL5/Experts (File > "
                    + "Open Data Folder), right-click Expert Advisors in the Navigator, Refresh, and drag it onto the chart"
            )
        }
        guard facts.versions.values.reduce(0, +) >= 5,
            let usual = facts.versions.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), usual.key != version,
            usual.value * 10 > facts.versions.values.reduce(0, +) * 7
        else { return nil }
        return .warning(
            "another version", "EA \(version), while \(usual.value) terminals of the fleet run \(usual.key)",
            "install EA \(usual.key) when convenient")
    }

    private var suspended: Finding? {
        guard facts.isSuspended else { return nil }
        return .warning(
            "suspended", "the user is suspended: the terminal is seen and never fired at; closes go through",
            "meshctl user set \(facts.user) --state active, if that was not meant")
    }

    private var silence: Finding? {
        let seen = facts.age("last_seen")
        let restart =
            "in MetaTrader 5: look at the lower right corner: it must show kB and not 'No connection' (click it: Rescan "
            + "servers). The EA's name must stand in the chart's upper right corner; if not, drag it on again. Else "
            + "restart the terminal"
        switch (facts.node["status"] ?? "", facts.node["liveness"] ?? "") {
        case ("disconnected", _):
            let why = facts.text("disconnect_reason").map { " (\($0))" } ?? ""
            return .critical(
                "disconnected", "it said goodbye \(facts.age("disconnected_at")) ago\(why)",
                "in MetaTrader 5: start the terminal, and drag the EA from the Navigator onto one chart. Taking it off, "
                    + "or closing the chart or the terminal, is what says goodbye")
        case ("replaced", _):
            return .critical("replaced", "another terminal took its place; its row is not there", restart)
        case ("timeout", _):
            return .critical("connection lost", "it fell silent \(seen) ago and is taken for dead", restart)
        case (_, "dead"), (_, "stale"):
            return .critical(
                "connected but silent", "connected, and not a word for \(seen) though others of its broker speak",
                restart
            )
        case (_, "late"):
            return .warning("connected but silent", "not a word for \(seen)", "wait a minute; then " + restart)
        case (_, "quiet"):
            return .good(
                "market closed",
                "silent for \(seen), as its whole broker is: terminals say nothing until the next quote, and read no "
                    + "commands")
        default: return nil
        }
    }

    private var wrongAccount: Finding? {
        func differs(_ name: String) -> Bool {
            guard let wanted = facts.row[name], !wanted.isEmpty, let shown = facts.text(name) else { return false }
            return wanted != shown
        }
        guard differs("account") || differs("server") else { return nil }
        let wanted = "\(facts.row["account"] ?? "") at \(facts.row["server"] ?? "")".trimmingSpaces
        let found = "\(facts.text("account") ?? "none") at \(facts.text("server") ?? "an unknown server")"
        return .critical(
            "wrong account", "it is logged in to \(found), and the user is registered for \(wanted)",
            "in MetaTrader 5: File > Login to Trade Account, with \(wanted); or, if that account is right, meshctl user "
                + "set \(facts.user) --account \(facts.text("account") ?? "LOGIN")")
    }

    private var fencedAddress: Finding? {
        let allowed = facts.row["addresses"] ?? ""
        let list = allowed.split(separator: ",").map { $0.trimmingSpaces }
        let isBound = !["", "any", "learned"].contains(allowed)
        if isBound, let peer = facts.text("peer_address"), !list.contains(peer) {
            return .critical(
                "address fenced", "it speaks from \(peer), and is believed from \(allowed) only",
                "if the user moved: meshctl user set \(facts.user) --address \(peer); if not, somebody else speaks "
                    + "under this name")
        }
        guard let stranger = facts.heldAddresses.first else { return nil }
        return .warning(
            "address fenced", "confirmations under this name came from \(stranger) and are held back",
            "if that is the user's machine: meshctl user set \(facts.user) --address \(stranger); they are taken in when "
                + "the terminal itself speaks from there")
    }

    private var tradingDisabled: Finding? {
        guard let why = facts.tradingDisabled else { return nil }
        let click: String
        if why.contains("10026") || why.contains("10017") {
            click =
                "the broker refuses: log in with the master password (the investor's can only look), or ask the broker "
                + "why trading is off for this account"
        } else {
            click =
                "in MetaTrader 5: click 'Algo Trading' in the toolbar until it is green; then press F7 on the chart and, "
                + "on Common, tick 'Allow Algo Trading'"
        }
        return .critical("trading disabled", "its last command was refused: \(why)", click)
    }

    private var deadline: Finding? {
        let click =
            "in MetaTrader 5: the EA reads a command only when its chart ticks: put it on the chart of a symbol that ticks "
            + "often, such as EURUSD, and look at the tab Experts"
        let overdue = facts.fires.filter(\.isOverdue)
        if let first = overdue.first {
            return .critical(
                "behind the deadline",
                "\(overdue.count) commanded trade(s) without an answer past their deadline, \(first.fireID) among them",
                "meshctl explain \(first.fireID); " + click)
        }
        let late = facts.fires.count(where: \.isLate)
        guard late > 0 else { return nil }
        return .warning(
            "behind the deadline", "\(late) of its last \(facts.fires.count) trades were answered after their deadline",
            click)
    }

    private var frozenQuotes: Finding? {
        guard let why = facts.frozenChart else { return nil }
        let symbol = facts.text("chart_symbol").map { " (\($0))" } ?? ""
        return .critical(
            "quotes frozen", "it beats, and its chart\(symbol) does not move: \(why)",
            "in MetaTrader 5: lower right corner, click, Rescan servers; View > Market Watch, right-click, Show All; if "
                + "that symbol's market is closed, drag the EA onto the chart of one that ticks")
    }

    private var wrongSymbol: Finding? {
        guard let why = facts.wrongSymbol else { return nil }
        return .warning(
            "wrong symbol", why,
            "drag the EA onto the chart of a symbol of deploy/config/symbols.yaml, or add the symbol there")
    }

    private var unregistered: Finding? {
        guard !facts.isRegistered, facts.isOpenToTheWorld else { return nil }
        return .critical(
            "not registered", "nobody registered this user, and the EA ports are open to the world: it is not fired at",
            "meshctl user add \(facts.user)")
    }

    private var flooding: Finding? {
        guard facts.isFlooding else { return nil }
        return .warning(
            "flooding", "it sends more than its quota; what is too much is shed",
            "in MetaTrader 5: Market Watch, right-click, Hide All; then show only the symbols that are traded")
    }

    /// Alerts whose cause is not told above.
    private var otherAlarms: [Finding] {
        let told: Set<String> = [
            "chart_frozen", "trading_disabled", "wrong_symbols", "identity_conflict", "commands_unheard",
            "terminal_flooding", "node_timeout", "fires_overdue",
        ]
        return facts.alarms.filter { !told.contains($0.type) }.map {
            .warning($0.type, $0.message, $0.action.isEmpty ? "meshctl alerts" : $0.action)
        }
    }
}

extension StringProtocol {
    var trimmingSpaces: String {
        var rest = Substring(self)
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
