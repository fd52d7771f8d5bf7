import EngineKit
import SIPMessages
import SIPUserAgent

/// What breaks in a world, and is mended.
extension World {
    mutating func cut(_ sender: HostID, _ receiver: HostID, for duration: Duration) {
        outages.cut(sender, receiver, until: now + duration)
    }

    mutating func rebindNAT(of host: HostID) {
        guard let nat = hosts[host.index].nat else { return }
        nats[nat].rebind()
        resetConnections(of: host)
    }

    /// A proxy and registrar loses all that it knows.
    mutating func restart(_ host: HostID) {
        hosts[host.index].proxy?.restart()
        resetConnections(of: host)
    }

    /// The state agent of a domain ends the subscriptions to it.
    mutating func deactivate(_ host: HostID) {
        hosts[host.index].proxy?.agent.deactivate(at: now)
        hosts[host.index].proxy?.settle(at: now)
        drain(host)
    }

    /// A proxy and registrar is out of service.
    mutating func refuse(at host: HostID, for duration: Duration, retryAfter: UInt32) {
        hosts[host.index].proxy?.outage = (now + duration, retryAfter)
    }

    mutating func letTrouble(_ rogue: HostID, _ phone: HostID) {
        let address = hosts[phone.index].address
        hosts[rogue.index].rogue?.trouble(address, at: now)
        drain(rogue)
    }

    /// From now on nothing goes wrong.
    mutating func heal() {
        network.conditions = network.conditions.calm
        outages.heal()
        for index in hosts.indices {
            hosts[index].proxy?.outage = nil
            for id in streams.connections(of: HostID(index: index)) { streams.stall(id, until: now) }
        }
    }
}
