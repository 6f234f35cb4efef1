import ArgumentParser
import Redis
import ServiceKit
import Supervision
import ZeroMQ

/// Further exit codes after sysexits(3); those of `status`, `doctor` and `ledger` are ``Verdict``.
extension ExitStatus {
    static let denied: Int32 = 1
    static let damaged: Int32 = 2
    static let cannotCreate: Int32 = 73
    static let busy: Int32 = 75
    static let noPermission: Int32 = 77
    static let interrupted: Int32 = 130
}

/// Why a command could not do what was asked: one message for an operator and the exit code.
struct ToolError: Error, Equatable, CustomStringConvertible {
    let code: Int32
    let message: String

    init(_ code: Int32, _ message: String) {
        self.code = code
        self.message = message
    }

    var description: String { message }

    /// Every error of the libraries below as an exit code; nil for those that ArgumentParser explains itself.
    init?(_ error: any Error) {
        switch error {
        case let error as ToolError: self = error
        case let error as ConfigurationError: self.init(ExitStatus.configuration, error.description)
        case let error as SupervisionError: self.init(ToolError.code(of: error.code), error.description)
        case let error as RedisConnectionError: self.init(ExitStatus.unavailable, error.description)
        case let error as ZMQError: self.init(ExitStatus.unavailable, error.description)
        default: return nil
        }
    }

    private static func code(of supervision: SupervisionError.Code) -> Int32 {
        switch supervision {
        case .programMissing: ExitStatus.unavailable
        case .permissionDenied: ExitStatus.noPermission
        case .fileFailed: ExitStatus.cannotCreate
        case .busy: ExitStatus.busy
        case .invalidService: ExitStatus.configuration
        case .daemonFailed, .notSupervised, .timedOut, .leftovers: ExitStatus.software
        }
    }
}

/// What `status`, `doctor` and `ledger` exit with, as monitoring systems read it.
enum Verdict: Int32, Comparable {
    case good = 0
    case warning = 1
    case critical = 2
    case unknown = 3

    static func < (left: Verdict, right: Verdict) -> Bool { left.rawValue < right.rawValue }

    var style: Style {
        switch self {
        case .good: .good
        case .warning: .warning
        case .critical, .unknown: .bad
        }
    }

    /// Ends the process with this verdict's exit code; returns where it is good.
    func exit() throws {
        if self != .good { throw ExitCode(rawValue) }
    }

    /// Runs a check whose own failure means that nothing is known. Wrong usage stays wrong usage.
    static func unlessKnown(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            guard let failure = ToolError(error), failure.code != ExitStatus.usage else { throw error }
            throw ToolError(Verdict.unknown.rawValue, failure.message)
        }
    }
}
