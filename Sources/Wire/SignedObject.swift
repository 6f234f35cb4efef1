/// A message whose sender proves with a shared secret who it is: the signature stands beside what it covers.
extension JSONObject {
    /// The field of the signature.
    public static let signatureName = "signature"
    /// What is added on the way and not covered.
    private static let uncovered: Set<String> = [signatureName, "request_id"]

    /// The bytes a signature is over: the object in compact form, without its signature and its `request_id`.
    public var signedBytes: [UInt8] {
        var object = JSONObject()
        for field in fields where !JSONObject.uncovered.contains(field.name) { object.append(field.name, field.value) }
        return object.bytes
    }
}
