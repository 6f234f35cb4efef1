import Domain
import Fleet
import Logging
import Redis
import ServiceKit
import Wire

/// Who may speak for a terminal on the telemetry port: whoever speaks from where position-tracker believes it
/// (`terminal_addresses`), and for terminals it has no word of, whoever speaks from where they introduced themselves.
///
/// What is refused changes nothing, is counted, and is told to node-registry once in a while for each victim, which makes
/// one alert of it. An introduction is kept: when the terminal turns out to speak from there it is taken after all, since
/// an EA introduces itself only once. Owned by the loop's thread. Source: docs/fleet.md.
final class AddressFence {
    /// An introduction that was refused.
    struct Refused {
        let report: TerminalReport
        let descriptor: Int32
        let peer: String
        let at: Timestamp
    }

    static let key = "terminal_addresses"
    private static let readMilliseconds: Int64 = 2_000
    private static let noticeMilliseconds: Int64 = 30_000
    private static let noticeLimit = 20_000
    /// What was refused longer ago says nothing of who is there now.
    private static let keptMilliseconds: Int64 = 600_000

    private let redis: RedisLink
    private let registry: RegistryNotices
    private let report: ServiceReport
    private var book = TerminalAddressBook()
    private var isAsking = false
    private var toldAt: [String: Int64] = [:]
    /// By node and address: a stranger's does not take the place of the terminal's own.
    private var kept = KeptPlaces<Refused>()
    /// Whether nothing is held any more against an introduction that was refused.
    var isClear: (Refused) -> Bool = { _ in false }
    /// Takes an introduction that was refused and is believed now.
    var admit: (Refused) -> Void = { _ in }

    init(_ environment: ServiceEnvironment, _ redis: RedisLink, _ registry: RegistryNotices) {
        self.redis = redis
        self.registry = registry
        report = environment.report
        report.set("foreign_telemetry", 0)
        registry.isBelieved = { [unowned self] user, peer in isBelieved(user, from: peer) }
        redis.onReady.append { [unowned self] in read() }
        redis.onLost.append { [unowned self] in isAsking = false }
        environment.reactor.every(milliseconds: AddressFence.readMilliseconds) { [unowned self] in read() }
    }

    /// What was read before the first frame.
    func begin(with addresses: [String: String]) { book.replace(with: addresses) }

    /// Whether position-tracker's word speaks for this address; nil where it has none about the user.
    func isBelieved(_ user: String?, from peer: String?) -> Bool? {
        guard let user, let peer, let known = book.addresses[user] else { return nil }
        return NetworkAddress.isIn(known, peer)
    }

    /// Why a message about a terminal is not believed, or nil.
    ///
    /// - Parameters:
    ///   - claimed: whom it names.
    ///   - owner: whose its node is. Only his address opens the door of a node that is at home elsewhere: whoever names
    ///     himself truly is still nobody's but his own.
    ///   - home: from where the node speaks on a connection that is open, where that is elsewhere.
    func objection(claimed: String?, owner: String?, from peer: String?, home: String?) -> String? {
        for user in [claimed, owner] {
            if let words = book.complaint(about: user, from: peer) { return words }
        }
        guard let home, let peer, isBelieved(owner, from: peer) != true else { return nil }
        return "the terminal speaks from \(home), and \(peer) says it is the same"
    }

    /// Notes what was refused.
    func refuse(node: String?, user: String?, peer: String?, why: String, at now: Timestamp) {
        report.count("foreign_telemetry")
        // Names are free: a flood of them is one victim's still.
        let victim = node ?? user ?? ""
        let monotonic = SystemClock.monotonicMilliseconds()
        if let last = toldAt[victim], monotonic - last < AddressFence.noticeMilliseconds { return }
        if toldAt.count >= AddressFence.noticeLimit {
            toldAt = toldAt.filter { monotonic - $0.value < AddressFence.noticeMilliseconds }
            guard toldAt.count < AddressFence.noticeLimit else { return }
        }
        toldAt[victim] = monotonic
        registry.foreign(node: node, user: user, peer: peer, why: why, at: now)
    }

    func keep(_ refused: Refused) {
        guard let node = refused.report.nodeID else { return }
        let outcome = kept.keep(
            refused, name: "\(node) \(refused.peer)", host: NetworkAddress.host(refused.peer),
            isKnown: refused.report.userUUID.map { book.addresses[$0] != nil } ?? false)
        switch outcome {
        case .kept: break
        case .evicting: report.count("introductions_evicted")
        case .refused: report.count("introductions_not_kept")
        }
    }

    private func read() {
        guard redis.isReady, !isAsking else { return }
        isAsking = true
        redis.send(["HGETALL", AddressFence.key]) { [weak self] reply in
            guard let self else { return }
            isAsking = false
            guard let reply, reply.errorMessage == nil, let fresh = reply.dictionary else { return }
            let isNews = book.replace(with: fresh)
            let oldest = SystemClock.now().adding(milliseconds: -AddressFence.keptMilliseconds)
            for (name, place) in kept.places {
                let refused = place.element
                if refused.at < oldest {
                    kept.remove(name)
                } else if isNews, isClear(refused) {
                    kept.remove(name)
                    admit(refused)
                }
            }
        }
    }
}
