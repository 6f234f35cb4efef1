/// What is worth an alert, how long it must last, how bad it is and who hears of it: `deploy/config/alerts.yaml`.
public struct AlertRule: Sendable, Equatable {
    public var type: String
    public var isEnabled = true
    /// nil: as bad as whoever raises it says.
    public var severity: Alert.Severity?
    /// Checks in a row that must fail before it is raised, and pass before it is over.
    public var failuresBeforeCritical = 1
    public var successBeforePassing = 1
    /// Milliseconds it must last before it is raised.
    public var hold: Int64 = 0
    /// Milliseconds after it was raised in which it is not raised again.
    public var coolDown: Int64 = 300_000
    /// Milliseconds after which an alert that is neither over nor acknowledged is told again; 0: never.
    public var repeatEvery: Int64 = 0
    /// Names of outlets; nil: all.
    public var outlets: [String]?
    public var tellsResolved = true
    /// What to do; nil: as the table says.
    public var action: String?

    public init(type: String) { self.type = type }
}

/// All rules of one mesh, and what else the file of rules says.
public struct AlertRules: Sendable, Equatable {
    /// For types no rule names.
    public var defaults = AlertRule(type: "")
    public var rules: [String: AlertRule] = [:]
    public var causes = CauseSettings()
    /// Coming and going: so often within so long.
    public var flappingWindow: Int64 = 3_600_000
    public var flappingCount = 3

    public init() {}

    public func rule(_ type: String) -> AlertRule {
        if let rule = rules[type] { return rule }
        var rule = defaults
        rule.type = type
        return rule
    }

    /// What to do about an alert of this type.
    public func action(_ type: String) -> String {
        rule(type).action ?? AlertType.known[type]?.action ?? "See docs/alerts.md."
    }
}

/// When many terminals are one cause.
public struct CauseSettings: Sendable, Equatable {
    /// Terminals that go together are waited for until none went for so long, at most `longestWait`; milliseconds.
    public var calm: Int64 = 2_000
    public var longestWait: Int64 = 30_000
    /// Fewer than this are told one by one.
    public var minimum = 3
    /// More than this are told as one even where they share nothing.
    public var individualLimit = 10
    /// How long after a restart of ours losses are put down to it; milliseconds.
    public var restartWindow: Int64 = 180_000

    public init() {}
}

/// The types the mesh raises, how bad they are by default and what to do.
public struct AlertType: Sendable, Equatable {
    public let severity: Alert.Severity
    public let what: String
    public let action: String

    public static let known: [String: AlertType] = [
        "node_timeout": AlertType(
            .warning, "a terminal was lost",
            "Look at the terminal's machine and its network; its positions go on at the broker. Nothing is fired at it."
        ),
        "node_flapping": AlertType(
            .warning, "a terminal comes and goes",
            "Look at the network of its machine; the grade in /nodes says how steady it is."),
        "nodes_lost": AlertType(
            .critical, "many terminals went at once",
            "Look at what they share, which the alert names, before you look at any single terminal."),
        "broker_silent": AlertType(
            .warning, "a broker quotes nothing although its market should be open",
            "Look at the broker's status page: holiday, maintenance or outage. Its terminals are connected to us."),
        "fleet_silent": AlertType(
            .warning, "no broker quotes although markets should be open",
            "A holiday, or nothing reaches us: look at handshake-processor and the machine's network."),
        "identity_conflict": AlertType(
            .critical, "two terminals claim one identity",
            "Nothing is fired at it. See /nodes for both addresses; end the wrong one, then "
                + "`meshctl nodes clear USER --reason …`."),
        "terminal_flooding": AlertType(
            .warning, "a terminal sends more than its quota",
            "Look at that terminal: too many charts or a loop in its program. Its ticks are shed, its trades never."),
        "terminals_need_restart": AlertType(
            .warning, "terminals met the wrong kind of socket and never come back by themselves",
            "Restart the named terminals, and serve their EA family on a port of its own (ports.yaml)."),
        "commands_unheard": AlertType(
            .warning, "a terminal is connected and hears no commands",
            "Do what the alert says: mostly, restart the terminal, or serve its EA family on a port of its own."),
        "chart_frozen": AlertType(
            .warning, "a terminal's chart stands still, so it reads no commands",
            "Open the terminal: attach the EA to a symbol that ticks."),
        "trading_disabled": AlertType(
            .critical, "a terminal refuses to trade",
            "Switch on algo trading in the terminal and allow it in the EA; ask the broker if the account is read-only."
        ),
        "wrong_symbols": AlertType(
            .warning, "a terminal's symbols are known to nobody here",
            "Add the broker's names to deploy/config/symbols.yaml, or attach the EA to another chart."),
        "service_down": AlertType(
            .critical, "one of the services does not report",
            "Run `meshctl doctor`; the log says why. The supervisor starts it again by itself."),
        "service_restarted": AlertType(
            .warning, "one of the services was started anew",
            "Terminals come back by themselves within a minute; the service's log says why it ended."),
        "service_flapping": AlertType(
            .critical, "a service keeps dying soon after its start",
            "Read the end of its log; put the last change back."),
        "service_degraded": AlertType(
            .warning, "a service reports that it can't do its whole job", "Run `meshctl doctor`."),
        "redis_down": AlertType(
            .critical, "Redis does not answer", "Run `meshctl doctor`; fires are denied until Redis answers."),
        "brake": AlertType(
            .critical, "the brake was pulled automatically",
            "Look at the accounts, settle what is unknown, then `meshctl brake ACTIVE --reason …`."),
        "brake_on": AlertType(
            .warning, "somebody set a brake",
            "Nothing, while it is meant; then lift it: `meshctl brake ACTIVE --reason …` with its scope."),
        "fires_overdue": AlertType(
            .critical, "fires without a known outcome",
            "Run `meshctl ledger`, look at the accounts, then `meshctl settle`."),
        "queue_growth": AlertType(
            .warning, "a service's queue grows", "Look at the machine's load and Redis's latency in /services."),
        "clock_stepped": AlertType(
            .warning, "this machine's clock was set",
            "Let a time service (chrony, systemd-timesyncd) slew the clock instead of setting it; nothing else is to do."
        ),
        "dead_mans_switch": AlertType(.info, "the monitor lives", "Nothing; worry when it stops."),
        "test": AlertType(.info, "a test by an operator", "Nothing."),
    ]

    private init(_ severity: Alert.Severity, _ what: String, _ action: String) {
        self.severity = severity
        self.what = what
        self.action = action
    }
}
