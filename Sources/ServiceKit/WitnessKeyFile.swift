extension MeshConfiguration {
    /// What position-tracker signs its findings with and confirmation-logger checks them by; mode 0600.
    public var witnessKeyFile: String { varDirectory + "/witness.key" }
}
