import Foundation
import Journal
import ServiceKit

/// A journal's state in a few words.
enum JournalCheck {
    /// - Throws: ``ToolError`` where it is damaged or can't be read.
    static func summary(_ directory: String) throws(ToolError) -> String {
        guard FileManager.default.fileExists(atPath: directory) else {
            throw ToolError(ExitStatus.unavailable, "there is no journal in \(directory)")
        }
        let result: JournalVerification
        do throws(JournalError) {
            result = try JournalVerification.run(directory: directory)
        } catch {
            throw ToolError(ExitStatus.unavailable, "the journal can't be read: \(error)")
        }
        if let damage = result.firstDamage {
            throw ToolError(ExitStatus.damaged, "the journal is damaged: \(damage)")
        }
        return "the journal is intact, \(result.records) records"
    }
}
