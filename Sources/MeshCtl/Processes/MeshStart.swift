import Domain
import Foundation
import ServiceKit
import Supervision

/// Starts a whole mesh: everything is checked before anything runs, and after a failure nothing is left running.
struct MeshStart {
    let mesh: Mesh
    let patience = Patience()

    private var starter: ServiceStarter { ServiceStarter(mesh: mesh, patience: patience) }
    private var supervisor: Supervisor { mesh.supervisor }

    /// Shown where the sources' scripts stand, which is how most people started it.
    static let stopCommand = "./stop_all_services.sh"

    func run() throws -> StartReport {
        let services = try mesh.supervisedServices()
        try refuseBesideTheOther()
        _ = try InstrumentFile.load(path: mesh.configuration.symbolsFile)
        return try supervisor.withLock {
            if supervisor.isRunning, MeshRecord.read(mesh.recordFile) != nil {
                return try complete(mesh.asStarted())
            }
            try clearRemains()
            try PortCheck.run(mesh)
            try prepareState()
            return try start(services)
        }
    }

    /// The mesh runs: nothing changes, save that what is down is started.
    private func complete(_ running: Mesh) throws -> StartReport {
        let down = running.serviceNames.filter { !running.supervisor.status($0).wantsUp }
        if down.isEmpty { return StartReport(unchanged: running, wanted: mesh) }
        do {
            let starter = ServiceStarter(mesh: running, patience: patience)
            return StartReport(running, .completed, try starter.bringUp(down))
        } catch {
            for name in down { _ = try? running.supervisor.down(name, timeoutSeconds: 3) }
            throw error
        }
    }

    /// Two meshes on the same ports can't be: say which one is in the way before its ports do.
    private func refuseBesideTheOther() throws {
        var options = mesh.options
        options.isDemo.toggle()
        let other = try Mesh(options, executables: mesh.executables)
        guard other.isPresent else { return }
        throw ToolError(
            ExitStatus.unavailable,
            "\(other.title) is running and \(mesh.title) uses the same ports: \(MeshStart.stopCommand) first")
    }

    /// What an interrupted start or a killed supervisor left is ended first.
    private func clearRemains() throws {
        guard mesh.isPresent else { return }
        StandardError.write(line: "meshctl: ending what an interrupted start or a killed supervisor left running")
        MeshStop.bringDown(mesh, withinSeconds: MeshStop.servicesSeconds)
        try supervisor.stopDaemon()
    }

    private func prepareState() throws {
        try PrivateFile.makeDirectory(mesh.configuration.varDirectory)
        try PrivateFile.makeDirectory(mesh.configuration.logDirectory)
        if mesh.options.isDemo { forgetLastDemonstration() }
        if mesh.usesOwnRedis {
            try PrivateFile.makeDirectory(mesh.redisDirectory)
        } else {
            try RedisCheck.answers(mesh.configuration.redis)
            try RedisCheck.isSafe(mesh)
        }
        try TokenFile.ensure(mesh.configuration.tokenFile)
    }

    /// Simulated accounts begin anew each time: what the last demonstration left would be positions nobody holds.
    private func forgetLastDemonstration() {
        for name in ["redis", "journal"] {
            try? FileManager.default.removeItem(atPath: mesh.configuration.varDirectory + "/" + name)
        }
    }

    private func start(_ services: [SupervisedService]) throws -> StartReport {
        let began = SystemClock.monotonicMilliseconds()
        do {
            try supervisor.prepare(services: services)
            try supervisor.startDaemon()
            let record = MeshRecord(
                startedAt: SystemClock.now(), version: MeshVersion.current, options: mesh.options)
            try PrivateFile.write(ConfigurationFile.text(path: mesh.configuration.portsFile), to: mesh.portsInForce)
            try record.write(mesh.recordFile)
            let redis = try starter.bringUp(mesh.usesOwnRedis ? [ServiceName.redis.rawValue] : [])
            let seven = try starter.bringUp(ServiceName.startOrder.map(\.rawValue))
            let simulator = try starter.bringUp(mesh.options.isDemo ? [Mesh.simulator] : [])
            let total = SystemClock.monotonicMilliseconds() - began
            return StartReport(mesh, .started, redis + seven + simulator, totalMilliseconds: total)
        } catch {
            try rollBack(after: error)
        }
    }

    private func rollBack(after error: any Error) throws -> Never {
        MeshStop.bringDown(mesh, withinSeconds: MeshStop.servicesSeconds)
        var ending = "nothing was left running"
        do throws(SupervisionError) {
            try supervisor.stopDaemon()
            mesh.forget()
        } catch {
            ending = "while stopping again: \(error)"
        }
        guard let failure = ToolError(error) else { throw error }
        throw ToolError(failure.code, failure.message + "\n" + ending)
    }
}
