import Fleet
import Foundation
import ServiceKit

/// A text nobody may see: it prints as dots.
struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// For the wire, never for people.
    let revealed: String
    var description: String { "••••" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// One way out for alerts.
struct OutletConfiguration: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// A POST with Alertmanager's body, version 4.
        case webhook(url: Secret, authorization: Secret?)
        /// Bot API, sendMessage; `api` is the server, for those who run their own.
        case telegram(api: String, token: Secret, chat: String)
    }

    let name: String
    let kind: Kind
    var minimumSeverity = Alert.Severity.info
    var timeout: Int64 = 10_000

    /// What people may see of it: kind and host.
    var title: String {
        switch kind {
        case .webhook(let url, let authorization):
            let host = URL(string: url.revealed)?.host ?? "?"
            return "\(name): webhook to \(host)\(authorization == nil ? "" : ", with a token")"
        case .telegram(let api, _, let chat):
            return "\(name): Telegram chat \(chat) by \(URL(string: api)?.host ?? api), with a token"
        }
    }
}

/// Outlets and their secrets, which stand in files of their own or in the environment, never in the file of rules.
struct OutletReader {
    static let usualTelegram = "https://api.telegram.org"
    let environment: [String: String]

    func read(_ section: Section) throws(ConfigurationError) -> [OutletConfiguration] {
        var result: [OutletConfiguration] = []
        for name in section.values.keys.sorted() {
            guard let outlet = try section.section(name) else { continue }
            result.append(try read(name, outlet))
        }
        return result
    }

    private func read(_ name: String, _ section: Section) throws(ConfigurationError) -> OutletConfiguration {
        let common: Set<String> = ["kind", "minimum_severity", "timeout"]
        let word = try section.text("kind") ?? name
        let kind: OutletConfiguration.Kind
        switch word {
        case "webhook":
            try section.allow(common.union(["url", "url_file", "url_env", "token_file", "token_env"]))
            let url: Secret
            if let text = try section.text("url") {
                url = Secret(revealed: text)
            } else if let secret = try secret("url", section) {
                url = secret
            } else {
                throw section.complaint("a webhook needs 'url', 'url_file' or 'url_env'")
            }
            guard let parsed = URL(string: url.revealed), ["http", "https"].contains(parsed.scheme ?? ""),
                parsed.host?.isEmpty == false
            else { throw section.complaint("the webhook's URL must begin with https:// or http:// and name a host") }
            kind = .webhook(url: url, authorization: try secret("token", section))
        case "telegram":
            try section.allow(common.union(["chat_id", "token_file", "token_env", "api"]))
            guard let chat = try section.text("chat_id"), !chat.isEmpty else {
                throw section.complaint("Telegram needs 'chat_id'")
            }
            guard let token = try secret("token", section) else {
                throw section.complaint("Telegram needs 'token_file' or 'token_env'")
            }
            let api = try section.text("api") ?? OutletReader.usualTelegram
            guard let parsed = URL(string: api), ["http", "https"].contains(parsed.scheme ?? "") else {
                throw section.complaint("'api' must begin with https:// or http://")
            }
            kind = .telegram(api: api, token: token, chat: chat)
        default:
            throw section.complaint("'kind' is webhook or telegram, not '\(word)'")
        }
        var outlet = OutletConfiguration(name: name, kind: kind)
        if let severity = try section.text("minimum_severity") {
            guard let known = Alert.Severity(rawValue: severity) else {
                throw section.complaint("'minimum_severity' is info, warning or critical, not '\(severity)'")
            }
            outlet.minimumSeverity = known
        }
        outlet.timeout = try section.duration("timeout") ?? outlet.timeout
        guard (100...60_000).contains(outlet.timeout) else {
            throw section.complaint("'timeout' is from 100ms to 60s")
        }
        return outlet
    }

    private func secret(_ name: String, _ section: Section) throws(ConfigurationError) -> Secret? {
        if let variable = try section.text("\(name)_env") {
            guard let value = environment[variable], !value.isEmpty else {
                throw section.complaint("the environment has no \(variable) (\(name)_env)")
            }
            return Secret(revealed: value)
        }
        guard let file = try section.text("\(name)_file") else { return nil }
        let directory = (section.path as NSString).deletingLastPathComponent
        let path = file.hasPrefix("/") ? file : directory + "/" + file
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let data = FileManager.default.contents(atPath: path)
        else { throw section.complaint("\(name)_file: \(path) can't be read") }
        let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
        guard mode & 0o077 == 0 else {
            throw section.complaint("\(name)_file: others may read \(path); chmod 600 it")
        }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { throw section.complaint("\(name)_file: \(path) is empty") }
        return Secret(revealed: text)
    }
}
