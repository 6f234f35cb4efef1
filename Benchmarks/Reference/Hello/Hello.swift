import Hummingbird
import Logging

/// The least Hummingbird can do: one route, one word. What an answer of health-dashboard costs is measured beside it.
@main
struct Hello {
    static func main() async throws {
        guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
            print("usage: hello-reference PORT")
            return
        }
        let router = Router()
        router.get("/") { _, _ in "hello" }
        var log = Logger(label: "hello")
        log.logLevel = .error
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), logger: log)
        try await application.runService()
    }
}
