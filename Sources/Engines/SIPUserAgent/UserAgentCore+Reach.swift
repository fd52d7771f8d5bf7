import EngineKit
import SIPMessages
import SIPTransactions
import ServerLocation

/// Whether a peer that asks for a dialog could ever be sent anything within it: who answers without a way back can
/// neither hang up nor say what happened.
extension UserAgentCore {
    /// The dialog that a SUBSCRIBE or a REFER outside all dialogs makes.
    ///
    /// - Throws: 400, where its Contact can't be used or reached.
    mutating func dialog(
        askedBy request: Request, of account: Account, over flow: Flow
    ) throws(RequestRefusal) -> Dialog {
        let dialog: Dialog
        do throws(Dialog.Fault) {
            dialog = try Dialog(
                of: request, localTag: random.hexadecimal(16),
                localSequence: UInt32(truncatingIfNeeded: random.next() >> 48))
        } catch {
            throw RequestRefusal(response: request.response(400, reason: "Contact Unusable"))
        }
        try checkReach(of: dialog.nextHop, unlessSaid: account.transport, askedBy: request, over: flow)
        return dialog
    }

    /// - Parameters:
    ///   - hop: where requests of the dialog go first.
    ///   - transport: the account's, by which they go where the hop names none.
    /// - Throws: 400, where nothing of ours leads there.
    func checkReach(
        of hop: URI?, unlessSaid transport: Transport?, askedBy request: Request, over flow: Flow
    ) throws(RequestRefusal) {
        guard let hop = hop?.sipURI else { return }
        let reach = Reach(
            transports: [.udp, .tcp, .tls, .ws, .wss].filter { transport in
                flow.transport == transport || listeners.contains { $0.transport == transport }
            },
            hasIPv4: flow.local.address.isV4 || listeners.contains { $0.address.address.isV4 },
            hasIPv6: !flow.local.address.isV4 || listeners.contains { !$0.address.address.isV4 })
        guard !reach.mayReach(hop.location(unlessSaid: transport)) else { return }
        throw RequestRefusal(response: request.response(400, reason: "Contact Unreachable"))
    }
}
