import CAllocationCount
import EngineKit
import Glibc
import SDP
import SIPMessages
import SIPRuntime
import SIPUserAgent
import Synchronization

import enum SIPUserAgent.Event

extension Workload {
    /// A user agent without media that answers every call on UDP: what a call costs, and what is kept of one when it is
    /// over. Says each second how many calls began and ended and the processor time of a call so far, and in
    /// every fourth and the last also the memory.
    /// With `strict` the limits for strangers hold, as they do for a phone. The message in FILE is a yardstick: how long
    /// its parsing takes on the same thread in that second, as `parse` tells it, shows how fast the processor was.
    static var answer: Workload {
        Workload(name: "answer", usage: "PORT SECONDS [open|strict] [FILE]") { arguments in
            guard arguments.count >= 2, let port = UInt16(arguments[0]), let seconds = Int(arguments[1]) else {
                Benchmarks.fail("usage: Benchmarks answer PORT SECONDS [open|strict] [FILE]")
            }
            let limits: UserAgentLimits =
                arguments.dropFirst(2).first == "strict" ? .strict : .open(calls: 10_000)
            let yardstick = arguments.count > 3 ? contents(of: arguments[3]) : nil
            Task {
                do {
                    try await AnsweringAgent(port: port, limits: limits, yardstick: yardstick).run(seconds: seconds)
                    exit(0)
                } catch {
                    Benchmarks.fail("\(error)")
                }
            }
            while true { pause() }
        }
    }
}

private final class AnsweringAgent: Sendable {
    private let endpoint: SIPEndpoint
    private let calls: Calls
    private let yardstick: [UInt8]?

    init(port: UInt16, limits: UserAgentLimits, yardstick: [UInt8]?) {
        self.yardstick = yardstick
        var rules = AutomaticAnswerRules.standard
        rules.perCaller = .max
        rules.total = .max
        var configuration = SIPEndpoint.Configuration(
            userAgent: UserAgentConfiguration(capabilities: Calls.media, limits: limits, automaticAnswer: rules),
            listen: [ListenAddress(SocketAddress(.loopback, port: port), transports: [.udp])], random: .system())
        let calls = Calls()
        configuration.onEvent = { calls.take($0) }
        endpoint = SIPEndpoint(configuration)
        calls.endpoint.withLock { [endpoint] in $0 = endpoint }
        self.calls = calls
    }

    func run(seconds: Int) async throws {
        try await endpoint.start()
        let start = processorMicroseconds()
        for second in 1...seconds {
            try await Task.sleep(for: .seconds(1))
            let microseconds = processorMicroseconds() - start
            let ended = calls.ended.load(ordering: .relaxed)
            let parsing = await parseNanoseconds().map { #","parse_ns":\#($0)"# } ?? ""
            // All of the heap is walked for it, which counts among the processor time.
            let isMeasured = second % 4 == 1 || second == seconds
            let dropped = await endpoint.inspect { $0.counters[.sourceRate] }
            print(
                #"{"name":"answer","second":\#(second),"began":\#(calls.began.load(ordering: .relaxed)),"#
                    + #""ended":\#(ended),"dropped":\#(dropped),"#
                    + #""processor_us":\#(microseconds),"us_per_call":\#(microseconds / max(1, ended))"#
                    + parsing + (isMeasured ? "," + memory() : "") + "}")
            fflush(nil)
        }
        await endpoint.shutDown()
    }

    /// Short, as it counts among the processor time of the calls: a quarter of a millisecond each second.
    private func parseNanoseconds() async -> Int? {
        guard let yardstick else { return nil }
        return await endpoint.inspect { _ in
            medianNanoseconds(rounds: 5, iterations: 20) { readTypedFields(of: yardstick) }
        }
    }
}

/// Answers on the thread of the endpoint, so that no call changes threads.
private final class Calls: Sendable {
    static let media = LocalMedia(rtpPort: 16384)

    let endpoint = Mutex<SIPEndpoint?>(nil)
    let began = Atomic(0)
    let ended = Atomic(0)

    func take(_ event: Event) {
        switch event {
        case .incomingCall(let call, _):
            began.add(1, ordering: .relaxed)
            endpoint.withLock { $0 }?.assumeIsolated { $0.perform(.answer(call, Self.media, automatic: true)) }
        case .ended: ended.add(1, ordering: .relaxed)
        default: break
        }
    }
}

/// The processor time of this process, of all its threads, in its own code and in the kernel's.
func processorMicroseconds() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000
        + Int(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
}

/// What this process holds: its anonymous pages, what of them the allocator gave out, and what it keeps for later. Code
/// that ran for the first time is not in there.
func memory() -> String {
    let status = String(decoding: contents(of: "/proc/self/status"), as: UTF8.self)
    let anonymous = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
    let kilobytes = anonymous?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first ?? "0"
    let heap = heap_octets_now()
    return #""anonymous_kb":\#(kilobytes),"allocated_kb":\#(heap.allocated / 1024),"kept_kb":\#(heap.kept / 1024)"#
}
