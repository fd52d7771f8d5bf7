/// What the person wants of the phone. The screen decides which call is meant; the app carries it out.
package enum UserCommand: Hashable, Sendable {
    /// Call `target`: a URI, `user@host` or a number as typed, without surrounding space. `account` nil: the first.
    case dial(target: String, account: String?)
    case answer(CallReference)
    /// Refuse a ringing call with a final status, 400 to 699.
    case reject(CallReference, status: Int)
    /// Stop ringing for this call, and let it be.
    case silence(CallReference)
    /// End the call in whatever state it is: CANCEL, BYE or a refusal.
    case hangUp(CallReference)
    case hangUpAll
    case hold(CallReference)
    case resume(CallReference)
    case setMuted(CallReference, Bool)
    /// Send digits as telephone events; each is one of `0-9 * # A-D`.
    case sendDigits(CallReference, String)
    /// Ask the peer of a call to call `target`, as typed, in our place.
    case transfer(CallReference, target: String)
    /// Put the peer of the first call through to that of the second.
    case connect(CallReference, to: CallReference)
    /// Let the peers of both calls hear each other.
    case conference(CallReference, with: CallReference)
    /// Call whom the peer asks us to call, or do not.
    case acceptTransfer(CallReference)
    case declineTransfer(CallReference)
    /// Register an account by its name; nil: all that have a registrar.
    case register(account: String?)
    case unregister(account: String?)
    /// Ask `target` for its capabilities.
    case options(target: String)
    /// Write to `target`.
    case message(target: String, text: String)
    /// The person is writing to `target`, or has given it up; with each key anew.
    case composing(target: String, isActive: Bool)
    /// Stop the process until it is continued. Asked for only while no call is up.
    case suspend
    /// Draw the whole screen anew.
    case redraw
    /// End all calls, unregister and leave.
    case quit
}
