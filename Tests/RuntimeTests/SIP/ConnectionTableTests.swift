import EngineKit
import Proofs
import SIPTransactions
import Testing

@testable import SIPRuntime

/// ROBUSTNESS S15, in virtual time.
struct ConnectionTableTests {
    private let local = SocketAddress(.loopback, port: 5060)

    private func remote(_ host: UInt32, _ port: UInt16) -> SocketAddress {
        SocketAddress(.v4(0xc000_0200 + host), port: port)
    }

    private func required(_ id: ConnectionID?) throws -> ConnectionID { try #require(id) }
    private func isRefused(_ id: ConnectionID?) -> Bool { id == nil }

    private func seconds(_ count: Int64) -> Instant { .zero + .seconds(count) }

    @Test(.proves(.rule(15), .incident(40)))
    func takesEightConnectionsOfOneSourceAndSixtyFourTogether() throws {
        var table = ConnectionTable(limits: StreamLimits())
        var ids: [ConnectionID] = []
        for host: UInt32 in 0..<8 {
            for port: UInt16 in 1...8 {
                ids.append(try required(table.accept(local: local, remote: remote(host, port), at: .zero)))
            }
            #expect(isRefused(table.accept(local: local, remote: remote(host, 9), at: .zero)))
        }
        #expect(Set(ids).count == 64)
        #expect(isRefused(table.accept(local: local, remote: remote(99, 1), at: .zero)))
        // One that ends makes room for one, whoever it is.
        let removed = table.remove(ids[0])
        #expect(removed?.connection == ids[0])
        let removedAgain = table.remove(ids[0])
        #expect(removedAgain == nil)
        #expect(!isRefused(table.accept(local: local, remote: remote(99, 1), at: .zero)))
        #expect(isRefused(table.accept(local: local, remote: remote(98, 1), at: .zero)))
    }

    @Test(.proves(.rule(15), .incident(40)))
    func strangersCannotKeepUsFromCalling() throws {
        var limits = StreamLimits()
        limits.connections = 1
        var table = ConnectionTable(limits: limits)
        #expect(!isRefused(table.accept(local: local, remote: remote(1, 1), at: .zero)))
        #expect(!isRefused(table.open(local: local, remote: remote(2, 5060), at: .zero)))
        #expect(isRefused(table.open(local: local, remote: remote(3, 5060), at: .zero)))
    }

    @Test(.proves(.rule(15), .incident(40)))
    func aFirstMessageHasTenSecondsHoweverSlowlyItComes() throws {
        var table = ConnectionTable(limits: StreamLimits())
        let id = try required(table.accept(local: local, remote: remote(1, 1), at: .zero))
        for second: Int64 in 1...9 {
            table.noteRead(on: id, messages: 0, pending: Int(second), at: seconds(second))
            table.noteWrite(on: id, at: seconds(second))
        }
        // Keep-alives are not messages either.
        table.noteRead(on: id, messages: 0, pending: 0, at: seconds(9))
        #expect(isRefused(table.popDue(at: seconds(10) - .nanoseconds(1))))
        #expect(try required(table.popDue(at: seconds(10))) == id)
    }

    @Test(.proves(.rule(15), .incident(40)))
    func aLaterMessageHasThirtySecondsAndSilenceFifteenMinutes() throws {
        var table = ConnectionTable(limits: StreamLimits())
        let id = try required(table.accept(local: local, remote: remote(1, 1), at: .zero))
        table.noteRead(on: id, messages: 1, pending: 0, at: seconds(5))
        #expect(table.deadline == seconds(5 + 900))
        table.noteRead(on: id, messages: 0, pending: 7, at: seconds(100))
        #expect(table.deadline == seconds(130))
        // Trickling wins no time, nor does what we send.
        table.noteRead(on: id, messages: 0, pending: 8, at: seconds(120))
        table.noteWrite(on: id, at: seconds(121))
        #expect(table.deadline == seconds(130))
        // The end of that message and the beginning of the next.
        table.noteRead(on: id, messages: 1, pending: 3, at: seconds(125))
        #expect(table.deadline == seconds(155))
        table.noteRead(on: id, messages: 1, pending: 0, at: seconds(126))
        table.noteWrite(on: id, at: seconds(200))
        #expect(table.deadline == seconds(1100))
        #expect(try required(table.popDue(at: seconds(1100))) == id)
    }

    @Test func findsTheNewestLivingConnectionToAnAddress() throws {
        var table = ConnectionTable(limits: StreamLimits())
        let first = try required(table.accept(local: local, remote: remote(1, 1), at: .zero))
        let second = try required(table.open(local: local, remote: remote(1, 1), at: .zero))
        #expect(table.connection(to: remote(1, 1)) == second)
        _ = table.remove(first)
        #expect(table.connection(to: remote(1, 1)) == second)
        _ = table.remove(second)
        #expect(table.connection(to: remote(1, 1)) == nil)
        #expect(table.deadline == nil)
        #expect(table.count == 0)
    }
}
