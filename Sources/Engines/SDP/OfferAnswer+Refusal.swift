import EngineKit

extension OfferAnswer {
    /// An answer that refuses every stream of an offer, for an ACK, which can't be a 488 (RFC 3261 §13.2.2.4). What was
    /// agreed before stays.
    package mutating func refuse(_ offer: SessionDescription, address: IPAddress) -> SessionDescription {
        describe(offer.media.map(\.refused), address: local.address ?? address, answering: offer)
    }
}
