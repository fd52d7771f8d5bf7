import EngineKit
import SDP
import SIPMessages
import SIPRuntime
import SIPTransactions
import SIPUserAgent
import Testing

import enum SIPUserAgent.Event

/// Endpoints over real sockets. One test at a time: some wait in blocking calls, of which the threads that all tests
/// share can't hold many.
@Suite(.serialized, .timeLimit(.minutes(2)))
enum EndpointTests {}

/// An endpoint on loopback, its events and its messages one by one. Waits end with the time limit of the test.
final class TestPhone {
    let endpoint: SIPEndpoint
    let messages: AsyncStream<TracedMessage>
    private var events: AsyncStream<Event>.Iterator

    init(
        listen: [ListenAddress] = [ListenAddress(SocketAddress(.loopback, port: 0))], seed: UInt64 = 1,
        adjust: (inout SIPEndpoint.Configuration) -> Void = { _ in }
    ) async throws {
        let (messages, sink) = AsyncStream.makeStream(of: TracedMessage.self)
        let (events, eventSink) = AsyncStream.makeStream(of: Event.self)
        var configuration = SIPEndpoint.Configuration(
            userAgent: UserAgentConfiguration(capabilities: Self.media, limits: .open(calls: 8)), listen: listen,
            random: RandomSource(seed: seed)
        ) { sink.yield($0) }
        configuration.onEvent = { eventSink.yield($0) }
        adjust(&configuration)
        self.messages = messages
        endpoint = SIPEndpoint(configuration)
        self.events = events.makeAsyncIterator()
        try await endpoint.start()
    }

    static let media = LocalMedia(rtpPort: 16384)
    /// Of the one who is called: on one host two phones never have one port.
    static let calledMedia = LocalMedia(rtpPort: 16388)

    func address(_ transport: Transport) async throws -> SocketAddress {
        try #require(await endpoint.listeners.first { $0.transport == transport }).address
    }

    /// The first event, from here on, of which `pick` makes something.
    func next<Value>(_ pick: (Event) -> Value?) async throws -> Value {
        while let event = await events.next() {
            if let value = pick(event) { return value }
        }
        throw NoSuchEvent()
    }

    struct NoSuchEvent: Error {}

    func nextEnd() async throws -> CallEnd {
        try await next { if case .ended(_, let end) = $0 { end } else { nil } }
    }

    func call(_ address: SocketAddress, over transport: Transport) async throws -> CallHandle {
        let target = try URI(parsing: "sip:bob@\(address);transport=\(transport.name.lowercased())")
        let handle = CallHandle(rawValue: 7)
        await endpoint.perform(.call(handle, OutgoingCall(target: target, media: Self.media)))
        return handle
    }
}

/// A request of somebody who sends by hand.
func options(_ number: Int = 1, via: String = "SIP/2.0/TCP 127.0.0.1:9", padding: Int = 0) -> String {
    "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: \(via);branch=z9hG4bK\(number);rport\r\nMax-Forwards: 70\r\n"
        + "From: <sip:raw@127.0.0.1>;tag=r\(number)\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: raw\(number)@127.0.0.1\r\n"
        + "CSeq: \(number) OPTIONS\r\nContent-Length: \(padding)\r\n\r\n" + String(repeating: "x", count: padding)
}
