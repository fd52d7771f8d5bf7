import Proofs
import Testing

@testable import SDP

@Suite struct DirectionTests {
    /// Offered, wished, answered: all sixteen pairs of RFC 3264 §6.1.
    static let table: [(Direction, Direction, Direction)] = [
        (.sendReceive, .sendReceive, .sendReceive), (.sendReceive, .sendOnly, .sendOnly),
        (.sendReceive, .receiveOnly, .receiveOnly), (.sendReceive, .inactive, .inactive),
        (.sendOnly, .sendReceive, .receiveOnly), (.sendOnly, .sendOnly, .inactive),
        (.sendOnly, .receiveOnly, .receiveOnly), (.sendOnly, .inactive, .inactive),
        (.receiveOnly, .sendReceive, .sendOnly), (.receiveOnly, .sendOnly, .sendOnly),
        (.receiveOnly, .receiveOnly, .inactive), (.receiveOnly, .inactive, .inactive),
        (.inactive, .sendReceive, .inactive), (.inactive, .sendOnly, .inactive),
        (.inactive, .receiveOnly, .inactive), (.inactive, .inactive, .inactive),
    ]

    @Test(.proves(.row(46), .clause("RFC 3264 §6.1")), arguments: table)
    func answersNeverMoreThanWasOffered(offered: Direction, wish: Direction, answer: Direction) {
        #expect(offered.answered(wishing: wish) == answer)
    }

    @Test(.proves(.row(46), .clause("RFC 3264 §8.4")))
    func reversesTheTwoOneWayDirectionsAlone() {
        #expect(Direction.allCases.map(\.reversed) == [.sendReceive, .receiveOnly, .sendOnly, .inactive])
    }

    @Test(.proves(.row(46), .clause("RFC 3264 §8.4")))
    func holdsByLettingThePeerSendNothing() {
        #expect(Direction.allCases.map(\.held) == [.sendOnly, .sendOnly, .inactive, .inactive])
    }
}
