import EngineKit
import Glibc
import SIPMessages
import SIPTransactions
import SIPUserAgent

import struct EngineKit.SocketAddress

extension SIPEndpoint {
    /// What came to a socket. What it is answered with leaves together.
    func receive(_ news: DatagramReader.News, at bound: SocketAddress) {
        guard !isShutDown else { return }
        holdsDatagrams = true
        switch news {
        case .datagrams(let datagrams):
            for (bytes, flow) in datagrams { receiveDatagram(bytes, over: flow) }
        case .failures(let failures):
            for failure in failures { deliveryFailed(failure, at: bound) }
        }
        holdsDatagrams = false
        settle()
    }

    private func receiveDatagram(_ bytes: [UInt8], over flow: Flow) {
        guard badNetwork != nil else { return takeDatagram(bytes, over: flow) }
        passBadNetwork(.inward) { $0.takeDatagram(bytes, over: flow) }
    }

    private func takeDatagram(_ bytes: [UInt8], over flow: Flow) {
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
        guard badNetwork != nil else { return enqueue(transmit, on: listener) }
        passBadNetwork(.outward) { endpoint in
            guard let listener = endpoint.datagramListener(for: flow) else { return }
            endpoint.enqueue(transmit, on: listener)
        }
    }

    private func enqueue(_ transmit: Transmit, on listener: DatagramListener) {
        let flow = transmit.flow
        for _ in 0..<2 {
            if listener.socket.enqueue(transmit.bytes, from: flow.local.address, to: flow.remote) {
                return listener.queued.append((flow, transmit.cause))
            }
            sendQueuedDatagrams(of: listener)
        }
        transmitFailed(flow, transmit.cause, TransmitFailure(errno: EMSGSIZE))
    }

    /// False where nothing waited.
    @discardableResult
    func sendQueuedDatagrams() -> Bool {
        var isAny = false
        for listener in datagramListeners where !listener.queued.isEmpty {
            isAny = true
            sendQueuedDatagrams(of: listener)
        }
        return isAny
    }

    private func sendQueuedDatagrams(of listener: DatagramListener) {
        // Taken out, since what is told of a failure may queue more; its room is used again.
        var queued: [(flow: Flow, cause: TransactionID?)] = []
        swap(&queued, &listener.queued)
        listener.socket.send(
            fail: { transmitFailed(queued[$0].flow, queued[$0].cause, TransmitFailure(errno: $1)) },
            report: { deliveryFailed($0, at: listener.socket.address) })
        queued.removeAll(keepingCapacity: true)
        if listener.queued.isEmpty { swap(&queued, &listener.queued) }
    }

    private func datagramListener(for flow: Flow) -> DatagramListener? {
        var other: DatagramListener?
        for listener in datagramListeners {
            let bound = listener.socket.address
            guard
                bound.address == flow.local.address
                    || bound.address.isUnspecified && bound.address.isV4 == flow.local.address.isV4
            else { continue }
            if bound.port == flow.local.port { return listener }
            if other == nil { other = listener }
        }
        return other
    }

    // MARK: - ICMP

    private func deliveryFailed(_ failure: DatagramSocket.DeliveryFailure, at bound: SocketAddress) {
        var local = bound
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
