/// The version every executable, `/version` and `service:<name>` tell.
public enum MeshVersion {
    public static let current = "0.1.0"
}
