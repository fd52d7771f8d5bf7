import EngineKit

/// What an offer and its answer came to: all that a media session has to know.
package struct AgreedMedia: Hashable, Sendable {
    /// Where our RTP goes. Nil sends none: the stream has port 0, the peer's address is `0.0.0.0` or `::`
    /// (RFC 3264 §8.4), or its target is withheld.
    package var remoteRTP: SocketAddress?
    /// Where our RTCP goes; nil as for RTP, and where there is no port one up.
    package var remoteRTCP: SocketAddress?
    /// The peer's target where it is private and the peer's signalling came from further away. Nothing is sent there;
    /// media that arrives may show where the peer really is.
    package var withheldTarget: SocketAddress?
    package var rtcpMux: Bool
    /// Ours: `sendOnly` where the peer is held by us, `receiveOnly` where it holds us.
    package var direction: Direction
    /// What we send, by the peer's payload type.
    package var sendFormat: MediaFormat
    /// What we take, by our payload types.
    package var receiveFormats: [MediaFormat]
    /// How we send digits, by the peer's payload type; nil where it takes none.
    package var sendTelephoneEvent: MediaFormat?
    /// How we take digits, by our payload types.
    package var receiveTelephoneEvents: [MediaFormat]
    /// How older packets go along with newer ones, by the peer's payload type; nil where it takes none, or what we
    /// send is not Opus.
    package var sendRedundancy: MediaFormat?
    /// How we take them, by our payload type.
    package var receiveRedundancy: MediaFormat?
    /// Milliseconds in a packet that we send, one that the codec can make: 3 ... 120.
    package var ptime: Int
    package var localAddress: IPAddress
    package var localRTPPort: UInt16
    package var localRTCPPort: UInt16

    /// Whether the peer's description takes no media from us: its direction says so, or its address is zero.
    package var isHeldByPeer: Bool

    package init(
        remoteRTP: SocketAddress?, remoteRTCP: SocketAddress?, withheldTarget: SocketAddress? = nil,
        rtcpMux: Bool, direction: Direction, isHeldByPeer: Bool = false, sendFormat: MediaFormat,
        receiveFormats: [MediaFormat],
        sendTelephoneEvent: MediaFormat?, receiveTelephoneEvents: [MediaFormat],
        sendRedundancy: MediaFormat? = nil, receiveRedundancy: MediaFormat? = nil, ptime: Int,
        localAddress: IPAddress, localRTPPort: UInt16, localRTCPPort: UInt16
    ) {
        self.remoteRTP = remoteRTP
        self.remoteRTCP = remoteRTCP
        self.withheldTarget = withheldTarget
        self.rtcpMux = rtcpMux
        self.direction = direction
        self.isHeldByPeer = isHeldByPeer
        self.sendFormat = sendFormat
        self.receiveFormats = receiveFormats
        self.sendTelephoneEvent = sendTelephoneEvent
        self.receiveTelephoneEvents = receiveTelephoneEvents
        self.sendRedundancy = sendRedundancy
        self.receiveRedundancy = receiveRedundancy
        self.ptime = ptime
        self.localAddress = localAddress
        self.localRTPPort = localRTPPort
        self.localRTCPPort = localRTCPPort
    }
}
