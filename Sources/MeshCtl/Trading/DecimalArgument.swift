import ArgumentParser
import Domain
import Wire

/// A decimal number of the command line, passed on digit for digit.
struct DecimalArgument: ExpressibleByArgument, Equatable {
    let json: JSON

    /// Nil for anything that is no number above or at zero, `nan` and `1e999` among them.
    init?(argument: String) {
        guard let amount = Amount(argument), !amount.isNegative else { return nil }
        json = JSON.isNumber(argument) ? .number(argument) : .number(amount.description)
    }
}
