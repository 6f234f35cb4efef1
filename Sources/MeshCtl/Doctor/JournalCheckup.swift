import Glibc
import ServiceKit

/// Whether the two journals can be written and are whole.
struct JournalCheckup {
    /// About a hundred million records; a longer one is for `meshctl journal verify`.
    private static let seconds = 30.0

    let mesh: Mesh

    init(_ mesh: Mesh) { self.mesh = mesh }

    var checkups: [Checkup] {
        [("journal", mesh.journalDirectory), ("ledger journal", mesh.configuration.varDirectory + "/ledger")].map {
            name, directory in
            Checkup(name, seconds: JournalCheckup.seconds) { [JournalCheckup.finding(name, directory)] }
        }
    }

    private static func finding(_ name: String, _ directory: String) -> Finding {
        guard access(directory, F_OK) == 0 else {
            return .good(name, "none yet: its service makes it with the first start")
        }
        guard access(directory, W_OK | X_OK) == 0 else {
            return .critical(name, "\(directory) can't be written", "give the user of the mesh the right to")
        }
        do throws(ToolError) {
            return .good(name, try JournalCheck.summary(directory) + ", and it can be written")
        } catch {
            let remedy = "meshctl journal verify says where; keep the files, then meshctl restore from a backup"
            return .critical(name, error.message, remedy)
        }
    }
}
