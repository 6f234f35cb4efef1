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

/// The same, below zero too: a loss.
struct SignedDecimalArgument: ExpressibleByArgument, Equatable {
    let json: JSON

    init?(argument: String) {
        guard let amount = Amount(argument) else { return nil }
        json = JSON.isNumber(argument) ? .number(argument) : .number(amount.description)
    }
}

/// A percentage of the command line from 0 to 100, or the word `default`, which takes a value of one's own away.
struct PercentArgument: ExpressibleByArgument, Equatable {
    let json: JSON

    init?(argument: String) {
        guard argument != "default" else {
            json = .string(argument)
            return
        }
        guard let amount = Amount(argument), !amount.isNegative, amount <= Amount(100) else { return nil }
        json = JSON.isNumber(argument) ? .number(argument) : .number(amount.description)
    }
}
