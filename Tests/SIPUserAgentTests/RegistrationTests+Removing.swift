import EngineKit
import Proofs
import SIPMessages
import Testing

@testable import SIPUserAgent

/// Registrations that end, and that move with their address.
extension RegistrationTests {
    @Test(.proves(.clause("RFC 3261 §10.2.2")))
    mutating func removesItsBinding() throws {
        #expect(registration.unregister(at: now).state == .unregistered)
        _ = registration.receive(try answer(registration.begin(contact: contact, at: now), 200), at: now)
        let removal = registration.unregister(at: now)
        #expect(removal.state == .unregistering)
        #expect(try removal.request?.headers.first(Expires.self)?.seconds == 0)
        #expect(registration.receive(try answer(removal, 200), at: now).state == .unregistered)
        #expect(registration.deadline == nil && !registration.isBusy)
    }

    @Test(.proves(.clause("RFC 3261 §10.2.2")), arguments: [nil, 500] as [StatusCode?])
    mutating func tellsOfARemovalThatFailedAndLetsItBe(status: StatusCode?) throws {
        _ = registration.receive(try answer(registration.begin(contact: contact, at: now), 200), at: now)
        let removal = registration.unregister(at: now)
        let step =
            if let status {
                registration.receive(try answer(removal, status), at: now)
            } else {
                registration.unanswered("no response", at: now)
            }
        guard case .failed(let code, let reason, nil)? = step.state else {
            Issue.record("\(step)")
            return
        }
        #expect(code == status)
        #expect(reason.hasSuffix(": the registration was not removed"))
        #expect(step.request == nil && registration.deadline == nil && !registration.isBusy)
    }

    /// What a 2xx lists stands (RFC 3261 §10.3, step 8); the phone beside us with our user part is not ours.
    @Test(
        .proves(.clause("RFC 3261 §10.2.2")),
        arguments: [
            ("<sip:alice@192.0.2.9:5060>;expires=3000", true), ("<sip:alice@192.0.2.9:5060>", true),
            ("<sip:alice@192.0.2.9:5060>;expires=0", false), ("<sip:alice@192.0.2.77:5060>;expires=3000", false),
        ])
    mutating func tellsOfARemovalThatTheRegistrarTookAndDidNotDo(contact listed: String, isLeft: Bool) throws {
        _ = registration.receive(try answer(registration.begin(contact: contact, at: now), 200), at: now)
        let removal = registration.unregister(at: now)
        let step = registration.receive(try answer(removal, 200, contacts: [listed]), at: now)
        guard isLeft else { return #expect(step.state == .unregistered) }
        guard case .failed(200, let reason, nil)? = step.state else {
            Issue.record("\(step)")
            return
        }
        #expect(reason.hasSuffix(": the registration was not removed"))
    }

    /// The connection that bore it closed before the answer, or none came in 32 s.
    @Test(.proves(.clause("RFC 3261 §10.2.2")), arguments: [true, false])
    mutating func removesWhatARegisterWithoutAnswerMayHaveBound(mayHaveArrived: Bool) throws {
        _ = registration.begin(contact: contact, at: now)
        _ = registration.unanswered("connection closed", mayHaveArrived: mayHaveArrived, at: now)
        let removal = registration.unregister(at: now)
        #expect((removal.request != nil) == mayHaveArrived)
        guard mayHaveArrived else { return #expect(removal.state == .unregistered) }
        #expect(try removal.request?.headers.first(Expires.self)?.seconds == 0)
        guard case .failed(nil, _, nil)? = registration.unanswered("connection closed", at: now).state else {
            Issue.record("nobody knows that it is gone")
            return
        }
    }

    @Test mutating func asksNothingForWhatMayHaveBeenBoundAndHasRunOut() throws {
        _ = registration.begin(contact: contact, at: now)
        _ = registration.unanswered("connection closed", at: now)
        now += .seconds(3600)
        #expect(registration.unregister(at: now) == Registration.Step(state: .unregistered))
    }

    @Test mutating func removesAfterTheAnswerWhatWasBeingAskedFor() throws {
        let step = registration.begin(contact: contact, at: now)
        #expect(registration.unregister(at: now) == Registration.Step())
        let removal = registration.receive(try answer(step, 200), at: now)
        #expect(removal.state == .unregistering && removal.request != nil)
    }

    @Test mutating func registersAgainAfterARemovalThatTheUserTookBack() throws {
        _ = registration.receive(try answer(registration.begin(contact: contact, at: now), 200), at: now)
        let removal = registration.unregister(at: now)
        #expect(registration.begin(contact: contact, at: now) == Registration.Step())
        let again = registration.receive(try answer(removal, 200), at: now)
        #expect(again.state == .registering)
        #expect(try again.request?.headers.first(Expires.self)?.seconds == 3600)
    }

    @Test(.proves(.row(36), .row(38)))
    mutating func replacesTheOldContactWhenItsAddressChanges() throws {
        _ = registration.receive(try answer(registration.begin(contact: contact, at: now), 200), at: now)
        #expect(registration.move(to: contact, at: now) == Registration.Step())
        let moved = SIPURI(user: "alice", host: .address(.v4(0xc633_6407)), port: 5060)
        let step = registration.move(to: moved, at: now)
        let contacts = try #require(try step.request?.headers.all(Contact.self))
        #expect(contacts.map(\.uri) == [.sip(moved), .sip(contact)])
        #expect(contacts.map(\.expires) == [nil, 0])
        _ = registration.receive(try answer(step, 200), at: now)
        let refresh = registration.handleDeadline(at: try #require(registration.deadline))
        #expect(try refresh.request?.headers.all(Contact.self).count == 1)
    }

    @Test(.proves(.row(36), .row(38)))
    mutating func asksAgainWhenItsAddressChangedMeanwhile() throws {
        let step = registration.begin(contact: contact, at: now)
        let moved = SIPURI(user: "alice", host: .address(.v4(0xc633_6407)), port: 5060)
        #expect(registration.move(to: moved, at: now) == Registration.Step())
        let again = registration.receive(try answer(step, 200), at: now)
        #expect(try again.request?.headers.all(Contact.self).map(\.uri) == [.sip(moved), .sip(contact)])
    }

    @Test mutating func removesABindingThatItsRefreshDidNotReach() throws {
        _ = registration.receive(try answer(registration.begin(contact: contact, at: now), 200), at: now)
        now = try #require(registration.deadline)
        let refresh = registration.handleDeadline(at: now)
        _ = registration.receive(try answer(refresh, 503), at: now)
        let removal = registration.unregister(at: now)
        #expect(removal.state == .unregistering)
        #expect(try removal.request?.headers.first(Expires.self)?.seconds == 0)
        let step = registration.unanswered("no response", at: now)
        #expect(
            step
                == Registration.Step(
                    state: .failed(nil, reason: "no response: the registration was not removed", retryAfter: nil)))
    }

    @Test mutating func asksNothingForABindingThatRanOut() throws {
        _ = registration.receive(try answer(registration.begin(contact: contact, at: now), 200), at: now)
        now = try #require(registration.deadline)
        _ = registration.receive(try answer(registration.handleDeadline(at: now), 503), at: now)
        now += .seconds(3600)
        #expect(registration.unregister(at: now) == Registration.Step(state: .unregistered))
    }
}
