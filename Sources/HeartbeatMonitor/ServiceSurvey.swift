import Domain
import Fleet
import Foundation
import Redis
import ServiceKit

/// What the seven report of themselves, and what their supervisor noted of their ends.
final class ServiceSurvey {
    private let directory: String
    private let redis: RedisLink
    private(set) var sightings: [ServiceSighting] = ServiceName.startOrder.map { ServiceSighting(name: $0.rawValue) }
    private var recordDates: [String: Date] = [:]

    init(_ environment: ServiceEnvironment, _ redis: RedisLink) {
        directory = environment.configuration.runDirectory
        self.redis = redis
    }

    /// Queues the questions; the answers are there when a later command's is.
    func ask() {
        for index in sightings.indices {
            let name = sightings[index].name
            redis.send(["HMGET", "service:\(name)", "updated_at", "started_at", "state"]) { [weak self] reply in
                guard let self, let values = reply?.array, values.count == 3 else { return }
                sightings[index].updatedAt = values[0].integer.map { Timestamp(milliseconds: $0) }
                sightings[index].startedAt = values[1].integer.map { Timestamp(milliseconds: $0) }
                sightings[index].state = values[2].text
            }
            sightings[index].lastExit = lastExit(name) ?? sightings[index].lastExit
        }
    }

    /// The newest line of a service's record of ends, where the record changed.
    private func lastExit(_ name: String) -> ServiceExitLine? {
        let path = "\(directory)/\(name).exits"
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let changed = attributes[.modificationDate] as? Date, recordDates[name] != changed
        else { return nil }
        recordDates[name] = changed
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return ServiceExitLine.last(of: String(decoding: data.suffix(4_096), as: UTF8.self))
    }

    /// Since when everybody has been running who hears terminals; nil while one of them is not there.
    func listeningSince(at now: Timestamp) -> Timestamp? {
        var latest: Timestamp?
        for listener in [ServiceName.handshakeProcessor, .nodeRegistry] {
            guard let service = sightings.first(where: { $0.name == listener.rawValue }),
                let updated = service.updatedAt, let started = service.startedAt, service.state != "stopped",
                now - updated <= ServiceWatch.silence
            else { return nil }
            latest = max(latest ?? started, started)
        }
        return latest
    }
}
