/// The terminal that `meshctl doctor` plays to see whether every hop answers.
///
/// It has no account, so that nothing of it is compared, counted or fired at; its symbol is in no catalogue; and
/// node-registry forgets its node with its disconnect. Source: docs/contract.md, section 6.
public enum ProbeTerminal {
    /// Its last character says nothing, as with every UUID of an EA that cuts it.
    public static let userUUID = "meshctl_doctor_0"
    public static let nodeID = "PROBE_meshctl_doctor"
    public static let symbol = "MESHDOCTOR"
    public static let disconnectReason = "doctor"
}
