/// Why the simulator does not start or had to stop, in one line a person can act on.
struct SimulatorError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
