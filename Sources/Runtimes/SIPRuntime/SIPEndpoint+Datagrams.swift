import EngineKit
import Glibc
import SIPMessages
import SIPTransactions
import SIPUserAgent

extension SIPEndpoint {
    func receiveDatagram(_ bytes: [UInt8], over flow: Flow) {
        guard !isShutDown else { return }
        // Keep-alives of peers behind a NAT: empty, CRLF, or zeros.
        guard !bytes.allSatisfy({ $0 == 0x0d || $0 == 0x0a || $0 == 0 }) else { return }
        trace(.received, bytes, flow)
        receive(.received(bytes, over: flow))
    }

    func sendDatagram(_ transmit: Transmit) {
        let flow = transmit.flow
        guard let listener = datagramListener(for: flow) else {
            return transmitFailed(flow, transmit.cause, .noListener)
        }
        trace(.sent, transmit.bytes, flow)
        let failure = listener.socket.send(transmit.bytes, from: flow.local.address, to: flow.remote) {
            deliveryFailed($0, by: listener)
        }
        if let failure { transmitFailed(flow, transmit.cause, TransmitFailure(errno: failure)) }
    }

    private func datagramListener(for flow: Flow) -> DatagramListener? {
        func fits(_ listener: DatagramListener) -> Bool {
            let bound = listener.socket.address
            return bound.address == flow.local.address
                || bound.address.isUnspecified && bound.address.isV4 == flow.local.address.isV4
        }
        return datagramListeners.first { $0.socket.address.port == flow.local.port && fits($0) }
            ?? datagramListeners.first(where: fits)
    }

    // MARK: - ICMP

    /// The channel of a socket was told that something could not be delivered.
    func deliveryFailed(onSocketAt bound: SocketAddress) {
        guard !isShutDown, let listener = datagramListeners.first(where: { $0.socket.address == bound }) else { return }
        takeDeliveryFailures(of: listener)
        settle()
    }

    func takeDeliveryFailures(of listener: DatagramListener) {
        listener.socket.takeDeliveryFailures { deliveryFailed($0, by: listener) }
    }

    private func deliveryFailed(_ failure: DatagramSocket.DeliveryFailure, by listener: DatagramListener) {
        var local = listener.socket.address
        if local.address.isUnspecified, let source = DatagramSocket.localAddress(towards: failure.remote) {
            local.address = source
        }
        let flow = Flow(transport: .udp, local: local, remote: failure.remote)
        transmitFailed(flow, nil, TransmitFailure(errno: failure.errno))
    }

    func transmitFailed(_ flow: Flow, _ cause: TransactionID?, _ failure: TransmitFailure) {
        core.receive(.transmitFailed(flow, cause: cause, failure), at: SystemClock.now)
    }

    func transmit(_ transmit: Transmit) {
        switch transmit.flow.transport {
        case .udp: sendDatagram(transmit)
        case .tcp: sendOnStream(transmit)
        default: transmitFailed(transmit.flow, transmit.cause, .noListener)
        }
    }
}
