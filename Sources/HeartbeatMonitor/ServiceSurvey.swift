import Domain
import Fleet
import Foundation
import Redis
import ServiceKit
import Wire

/// What the seven report of themselves, and what their supervisor noted of their ends.
final class ServiceSurvey {
    private let directory: String
    private let redis: RedisLink
    private(set) var sightings: [ServiceSighting] = ServiceName.startOrder.map { ServiceSighting(name: $0.rawValue) }
    private var recordDates: [String: Date] = [:]
    /// What each service says of itself beside that it lives.
    private(set) var words: [String: ServiceWords] = [:]

    init(_ environment: ServiceEnvironment, _ redis: RedisLink) {
        directory = environment.configuration.runDirectory
        self.redis = redis
    }

    /// Queues the questions; the answers are there when a later command's is.
    func ask() {
        for index in sightings.indices {
            let name = sightings[index].name
            let fields = ["updated_at", "started_at", "state", "problems", "gauges", "counters"]
            redis.send(["HMGET", "service:\(name)"] + fields) { [weak self] reply in
                guard let self, let values = reply?.array, values.count == fields.count else { return }
                words[name] = ServiceWords(
                    problems: values[3].text, gauges: values[4].text, counters: values[5].text)
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
    func listeningSince(_ watch: ServiceWatch, steady: Int64) -> Timestamp? {
        var latest: Timestamp?
        for listener in [ServiceName.handshakeProcessor, .nodeRegistry] {
            guard let service = sightings.first(where: { $0.name == listener.rawValue }),
                let started = service.startedAt, watch.isReporting(service.name, service.state, steady)
            else { return nil }
            latest = max(latest ?? started, started)
        }
        return latest
    }
}

/// What a service says of itself: problems by name, figures by name.
struct ServiceWords: Equatable {
    var problems: [String: String] = [:]
    var gauges: [String: Int64] = [:]
    var counters: [String: Int64] = [:]

    init(problems: String?, gauges: String?, counters: String?) {
        self.problems = ServiceWords.texts(problems)
        self.gauges = ServiceWords.texts(gauges).compactMapValues { Int64($0) }
        self.counters = ServiceWords.texts(counters).compactMapValues { Int64($0) }
    }

    private static func texts(_ json: String?) -> [String: String] {
        guard let json, let object = (try? JSON(json))?.object else { return [:] }
        return Dictionary(object.fields.compactMap { field in field.value.text.map { (field.name, $0) } }) { first, _ in
            first
        }
    }
}
