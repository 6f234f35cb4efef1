import Fleet
import Testing

@testable import HeartbeatMonitor

@Suite struct BrakeTests {
    @Test func aBrakeSetByHandIsAReminderForEachScope() {
        let found = BrakeTroubles(
            [
                "all": "REDUCING|1|news at noon", "broker:Demo-1": "HALTED|2|their outage|again",
                "user:u1": "HALTED|3|", "tier:SOLO": "ACTIVE|4|lifted", "symbol:EURUSD": "garbage",
            ], automatic: nil)
        #expect(found.automatic.isEmpty)
        #expect(found.byHand.map(\.key) == ["brake_on:all", "brake_on:broker:Demo-1", "brake_on:user:u1"])
        #expect(found.byHand.map(\.severity) == [.info, .warning, .warning])
        #expect(
            found.byHand[0].message
                == "the brake is REDUCING for all: news at noon; only closes are sent to its terminals")
        #expect(found.byHand[1].fields["server"] == "Demo-1" && found.byHand[1].story.cause == "their outage|again")
        #expect(found.byHand[2].fields["user_uuid"] == "u1")
    }

    @Test func theAutomaticOneIsATroubleOfItsOwnAndNotToldTwice() {
        let reason = "automatic: 9 of 10 outcomes in 60 s were bad"
        let brakes = ["all": "REDUCING|1|\(reason)"]
        let found = BrakeTroubles(brakes, automatic: reason)
        #expect(found.byHand.isEmpty)
        #expect(found.automatic.map(\.key) == ["brake:position-tracker"])
        #expect(found.automatic.map(\.severity) == [.critical])
        // Somebody took it over, with words of his own.
        let taken = BrakeTroubles(["all": "HALTED|2|I look into it"], automatic: reason)
        #expect(taken.automatic.isEmpty && taken.byHand.map(\.key) == ["brake_on:all"])
        #expect(BrakeTroubles([:], automatic: reason).automatic.isEmpty)
    }
}
