import Foundation
import Glibc

/// The files below `<run>/sv` and `<logs>` that runit works from. Writing them is idempotent.
struct ServiceTree: Sendable {
    let services: String
    let logs: String
    let scripts: String

    /// Rotation of every log, see svlogd(8): at most 11 files of one megabyte.
    static let logConfiguration = "s1000000\nn10\n"

    func write(_ wanted: [SupervisedService]) throws(SupervisionError) {
        let setpriv = try Files.program("setpriv", package: "util-linux")
        let chpst = try Files.program("chpst", package: "runit")
        let run = try script("run")
        let finish = try script("finish")
        let logRun = try script("log-run")
        // Command lines and variables may hold a password (REDIS_URL): nobody else reads them.
        try Files.makeDirectory(services, mode: 0o700)
        try Files.makeDirectory(logs, mode: 0o755)
        for service in wanted {
            let directory = "\(services)/\(service.name)"
            try Files.makeDirectory(directory, mode: 0o700)
            if !Fifo.isRead("\(directory)/supervise/ok") {
                // Nothing starts by itself, neither now nor after a reboot that left the marker away: the order is ours.
                try Files.append([], to: "\(directory)/down", mode: 0o600)
            }
            try Files.makeDirectory("\(directory)/log", mode: 0o700)
            try Files.makeDirectory("\(logs)/\(service.name)", mode: 0o755)
            try Files.write(Self.logConfiguration, to: "\(logs)/\(service.name)/config", mode: 0o644)
            try Files.link("\(directory)/log/main", to: "\(logs)/\(service.name)")
            try Files.link("\(logs)/\(service.name).log", to: "\(service.name)/current")
            try Files.write(logRun, to: "\(directory)/log/run", mode: 0o700)
            try Files.write(finish, to: "\(directory)/finish", mode: 0o700)
            try Files.write(
                service.commandScript(setpriv: setpriv, chpst: chpst), to: "\(directory)/command", mode: 0o700)
            try Files.write(run, to: "\(directory)/run", mode: 0o700)
        }
        ageDirectory()
    }

    /// Names of the services that have a directory.
    func names() -> [String] {
        let found = (try? FileManager.default.contentsOfDirectory(atPath: services)) ?? []
        return found.filter { SupervisedService.isValid(name: $0) }.sorted()
    }

    func remove(_ name: String) throws(SupervisionError) {
        let directory = "\(services)/\(name)"
        do { try FileManager.default.removeItem(atPath: directory) } catch {
            throw SupervisionError(.fileFailed, "cannot remove \(directory): \(error.localizedDescription)")
        }
    }

    private func script(_ name: String) throws(SupervisionError) -> String {
        guard let text = Files.text("\(scripts)/\(name)") else {
            throw .file("read", "\(scripts)/\(name)", errno: errno)
        }
        return text
    }

    /// runsvdir sleeps a whole second when the directory was changed in the current one. A changed time in the past
    /// spares that second at every start, and is a change all the same.
    private func ageDirectory() {
        var times = [timespec(), timespec()]
        clock_gettime(CLOCK_REALTIME, &times[0])
        times[0].tv_sec -= 10
        times[1] = times[0]
        utimensat(AT_FDCWD, services, times, 0)
    }
}
