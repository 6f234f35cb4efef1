import Domain
import Wire

/// `meshctl nodes confirmations USER accept|drop`, as it comes on `ea-receipts`: signed with the mesh's own secret, so
/// that nobody outside can say it, and of the present, so that nobody
/// can say it again later than a minute.
struct HeldRequest {
    static let type = "held_confirmations"
    private static let maximumAge: Int64 = 60_000

    let user: String
    let isAccepted: Bool
    /// Only what came from there; nil where no address is named.
    let address: String?

    /// Nil where the message, whose signature was checked, is none or is old.
    init?(_ bytes: [UInt8], now: Timestamp) {
        guard let object = (try? JSON(bytes))?.object, let user = object["user_uuid"]?.text,
            let word = object["action"]?.text, word == "accept" || word == "drop",
            let at = object["at"]?.text.flatMap({ Int64($0) }), (0...7_258_118_400_000).contains(at),
            abs(now.milliseconds - at) <= HeldRequest.maximumAge
        else { return nil }
        self.user = user
        isAccepted = word == "accept"
        address = object["address"]?.text
    }
}
