import EngineKit
import SDP
import SIPMessages

/// Offers in requests of the peer, and what they are refused with.
extension OfferAnswer {
    /// Takes the offer of a first INVITE, where it has one.
    mutating func receiveInitialOffer(of request: Request, at address: IPAddress) throws(RequestRefusal) {
        guard let claimed = request.claimedDescription else { return }
        let offer = try request.readable(claimed)
        do throws(NegotiationError) {
            try receiveOffer(offer)
        } catch {
            throw RequestRefusal(response: request.refusal(of: error, at: address))
        }
    }

    /// Takes and answers the offer of a request within the dialog. Where that fails, all is as before.
    mutating func answerOffer(
        of request: Request, at address: IPAddress, targets: MediaTargetPolicy
    ) throws(RequestRefusal) -> (description: SessionDescription, media: AgreedMedia) {
        let offer = try request.readable(request.claimedDescription)
        var next = self
        next.targets = targets
        do throws(NegotiationError) {
            try next.receiveOffer(offer)
            let answer = try next.makeAnswer(address: address)
            self = next
            return answer
        } catch {
            throw RequestRefusal(response: request.refusal(of: error, at: address))
        }
    }

    /// Makes the offer that a request without one asks for.
    mutating func offer(to request: Request, at address: IPAddress) throws(RequestRefusal) -> SessionDescription {
        do throws(NegotiationError) {
            return try makeOffer(address: address)
        } catch {
            throw RequestRefusal(response: request.refusal(of: error, at: address))
        }
    }
}

extension Request {
    /// The session description in what claims to be one.
    fileprivate func readable(_ claimed: [UInt8]?) throws(RequestRefusal) -> SessionDescription {
        guard let claimed, let description = try? SessionDescription(parsing: claimed) else {
            throw RequestRefusal(response: response(400, reason: "Session Description Unreadable"))
        }
        return description
    }
}
