import Domain
import Fleet
import Testing
import Wire

@testable import HeartbeatMonitor

@Suite struct OutletTextTests {
    private static let began = Timestamp(milliseconds: 1_795_000_000_000)

    private func alert() -> Alert {
        var story = AlertStory(.server, "Demo-1", cause: "broker server Demo-1", count: 400)
        story.action = "Look at what they share."
        return Alert(
            alertID: "a-1", key: "nodes_lost:server:Demo-1", type: "nodes_lost", severity: .critical,
            message: "400 of 400 terminals were lost: broker server \"Demo-1\"", fields: ["server": "Demo-1"],
            story: story, raisedAt: OutletTextTests.began)
    }

    private func notice(ended: Timestamp? = nil) -> Notice {
        Notice(
            alert: alert(), startsAt: OutletTextTests.began, endsAt: ended,
            resolution: ended == nil ? "" : "400 of 400 terminals are well again", externalURL: "https://mesh.example")
    }

    @Test func theWebhooksBodyIsAlertmanagersVersionFour() {
        let text = OutletText.alertmanager(notice(), receiver: "webhook").compactText
        let expected =
            #"{"receiver":"webhook","status":"firing","alerts":[{"status":"firing","labels":{"alert_id":"a-1","#
            + #""alertname":"nodes_lost","scope":"server","scope_name":"Demo-1","server":"Demo-1","#
            + #""severity":"critical"},"annotations":{"action":"Look at what they share.","#
            + #""cause":"broker server Demo-1","count":"400","held_back":"399","#
            + #""summary":"400 of 400 terminals were lost: broker server \"Demo-1\""},"#
            + #""startsAt":"2026-11-18T11:06:40.000Z","endsAt":"0001-01-01T00:00:00Z","#
            + #""generatorURL":"https://mesh.example/dashboard#alerts/a-1","#
            + ##""fingerprint":"FINGERPRINT"}],"groupLabels":{"alertname":"nodes_lost"},"commonLabels":{"alert_id":"a-1","##
            + #""alertname":"nodes_lost","scope":"server","scope_name":"Demo-1","server":"Demo-1","#
            + #""severity":"critical"},"commonAnnotations":{"action":"Look at what they share.","#
            + #""cause":"broker server Demo-1","count":"400","held_back":"399","#
            + #""summary":"400 of 400 terminals were lost: broker server \"Demo-1\""},"#
            + #""externalURL":"https://mesh.example","version":"4","#
            + #""groupKey":"{}:{alertname=\"nodes_lost\"}","truncatedAlerts":0}"#
        let fingerprint = OutletText.fingerprint(OutletText.labels(alert()))
        #expect(fingerprint.count == 16)
        #expect(text == expected.replacing("FINGERPRINT", with: fingerprint))
    }

    @Test func theEndOfAnAlertHasItsFingerprintAndItsTime() throws {
        let began = OutletText.alertmanager(notice(), receiver: "webhook")
        let over = OutletText.alertmanager(
            notice(ended: OutletTextTests.began.adding(milliseconds: 90_000)), receiver: "webhook")
        func first(_ body: JSONObject) throws -> JSONObject {
            try #require(body["alerts"]?.array?.first?.object)
        }
        #expect(over["status"]?.text == "resolved")
        #expect(try first(over)["endsAt"]?.text == "2026-11-18T11:08:10.000Z")
        #expect(try first(over)["fingerprint"]?.text == first(began)["fingerprint"]?.text)
        #expect(try first(over)["annotations"]?.object?["resolution"]?.text == "400 of 400 terminals are well again")
    }

    @Test func telegramIsToldWhatHappenedAndWhatToDo() throws {
        let body = OutletText.telegram(notice(), chat: "-5")
        #expect(body["chat_id"]?.text == "-5")
        let text = try #require(body["text"]?.text)
        #expect(text.hasPrefix("CRITICAL: nodes lost\n400 of 400 terminals"))
        #expect(text.contains("What to do: Look at what they share."))
        #expect(text.contains("Stands for 399 alerts."))
        let over = OutletText.telegramText(notice(ended: OutletTextTests.began.adding(milliseconds: 1)))
        #expect(over.hasPrefix("RESOLVED: nodes lost") && !over.contains("What to do"))
    }

    @Test func aLongMessageIsCutBeforeTelegramRefusesIt() {
        let long = Alert(
            alertID: "a", key: "k", type: "test", severity: .info, message: String(repeating: "🧨é", count: 3_000),
            fields: [:], raisedAt: OutletTextTests.began)
        let notice = Notice(
            alert: long, startsAt: OutletTextTests.began, endsAt: nil, resolution: "", externalURL: "")
        #expect(OutletText.telegramText(notice).utf16.count <= 4_096)
    }

    @Test(
        arguments: [
            (200, nil, "", DeliveryResult.accepted("accepted (200, 5 ms)")),
            (204, nil, "", .accepted("accepted (204, 5 ms)")),
            (503, "7", "", .failed("answered 503", retryAfter: 7_000)),
            (429, nil, #"{"ok":false,"parameters":{"retry_after":3}}"#, .failed("answered 429", retryAfter: 3_000)),
            (500, nil, "x", .failed("answered 500", retryAfter: nil)),
            (401, nil, #"{"ok":false,"description":"Unauthorized"}"#, .refused("refused with 401: Unauthorized")),
            (400, nil, "", .refused("refused with 400")),
            (302, nil, "", .refused("refused with 302")),
        ] as [(Int, String?, String, DeliveryResult)])
    func aStatusSaysWhetherToTryAgain(status: Int, header: String?, body: String, result: DeliveryResult) {
        #expect(
            HTTPSender.judge(status, retryAfter: header, body: Array(body.utf8), took: 5, Scrubber(secrets: []))
                == result)
    }
}
