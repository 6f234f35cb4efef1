/// Who of some terminals is connected, and who of them speaks, in one look at everybody.
///
/// Where a market should be closed, one terminal that speaks proves nothing: it may be a test, or a stranger with a
/// quote he made up. A market that is open is heard from many.
struct Attendance: Sendable, Equatable {
    /// More than this need not be told apart: somebody, and two others.
    private static let namesKept = 3

    private(set) var connected = 0
    private(set) var speaking = 0
    private var users: Set<String> = []
    private var speakers: Set<String> = []

    /// - Parameter speaks: whether it has spoken for a while without a pause, and does now.
    mutating func note(_ user: String, speaks: Bool) {
        connected += 1
        if users.count < Attendance.namesKept { users.insert(user) }
        guard speaks else { return }
        speaking += 1
        if speakers.count < Attendance.namesKept { speakers.insert(user) }
    }

    mutating func add(_ other: Attendance) {
        connected += other.connected
        speaking += other.speaking
        for user in other.users where users.count < Attendance.namesKept { users.insert(user) }
        for user in other.speakers where speakers.count < Attendance.namesKept { speakers.insert(user) }
    }

    /// More than a tenth of those that are connected speak.
    private var isShare: Bool { speaking * 10 > connected }

    /// Whether so many speak that it is their market and not one of them: more than a tenth, and of two users; of one
    /// where there is no other.
    var isBroad: Bool { isShare && speakers.count >= min(2, users.count) }

    /// Whether so many speak that the silence of one of them is its own.
    ///
    /// - Parameter suffices: whether one other user is enough where there are no more than he and the silent one.
    func isBroad(against user: String, one suffices: Bool) -> Bool {
        guard isShare, speakers.count < 2 else { return isShare }
        return suffices && !speakers.isEmpty && users.subtracting([user]).count < 2
    }
}
