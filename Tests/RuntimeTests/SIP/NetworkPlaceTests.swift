import EngineKit
import Proofs
import Testing

@testable import SIPRuntime

@Suite struct NetworkPlaceTests {
    @Test func knowsTheLoopbackAndStaysTheSameWhileNothingHappens() {
        let place = NetworkPlace.current()
        #expect(place.addresses.contains(.loopback))
        #expect(NetworkPlace.current() == place)
    }

    /// Only a sleep parts the two clocks; a wall clock that is set does not.
    @Test(.proves(.row(59))) func noticesASleepAndNothingElse() {
        var gauge = SleepGauge(asleep: .seconds(5))
        #expect(gauge.slept(.seconds(5)) == nil)
        #expect(gauge.slept(.seconds(6)) == nil)
        #expect(gauge.slept(.seconds(605)) == .seconds(599))
        #expect(gauge.slept(.seconds(605)) == nil)
    }
}
