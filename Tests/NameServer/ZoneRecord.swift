/// A resource record as a test writes it down (RFC 1035 §3.2).
package struct ZoneRecord: Sendable {
    package var name: String
    package var kind: UInt16
    package var timeToLive: UInt32
    package var data: [UInt8]

    package init(_ name: String, kind: UInt16, timeToLive: UInt32 = 300, data: [UInt8]) {
        self.name = name
        self.kind = kind
        self.timeToLive = timeToLive
        self.data = data
    }

    package static func a(_ name: String, _ octets: [UInt8], timeToLive: UInt32 = 300) -> ZoneRecord {
        ZoneRecord(name, kind: 1, timeToLive: timeToLive, data: octets)
    }

    /// - Parameter last: the last octet of an address in 2001:db8::/32; nil for `::1`.
    package static func aaaa(_ name: String, last: UInt8?, timeToLive: UInt32 = 300) -> ZoneRecord {
        var octets = [UInt8](repeating: 0, count: 16)
        octets[15] = last ?? 1
        if last != nil { octets.replaceSubrange(0..<4, with: [0x20, 0x01, 0x0d, 0xb8]) }
        return ZoneRecord(name, kind: 28, timeToLive: timeToLive, data: octets)
    }

    package static func alias(_ name: String, of target: String, timeToLive: UInt32 = 300) -> ZoneRecord {
        ZoneRecord(name, kind: 5, timeToLive: timeToLive, data: encoded(target))
    }

    package static func srv(
        _ name: String, priority: UInt16 = 0, weight: UInt16 = 0, port: UInt16, target: String,
        timeToLive: UInt32 = 300
    ) -> ZoneRecord {
        let numbers = [priority, weight, port].flatMap(octets)
        return ZoneRecord(name, kind: 33, timeToLive: timeToLive, data: numbers + encoded(target))
    }

    package static func naptr(
        _ name: String, order: UInt16, preference: UInt16 = 0, flags: String = "s", service: String,
        expression: String = "", replacement: String, timeToLive: UInt32 = 300
    ) -> ZoneRecord {
        let texts = [flags, service, expression].flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        return ZoneRecord(
            name, kind: 35, timeToLive: timeToLive,
            data: [order, preference].flatMap(octets) + texts + encoded(replacement))
    }

    /// A name on the wire, without compression; `.` and the empty one are the root.
    package static func encoded(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8(truncatingIfNeeded: $0.utf8.count)] + Array($0.utf8) } + [0]
    }

    static func octets(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }

    /// On the wire.
    package var bytes: [UInt8] {
        let time = (0..<4).map { UInt8(truncatingIfNeeded: timeToLive >> UInt32(24 - 8 * $0)) }
        return Self.encoded(name) + Self.octets(kind) + Self.octets(1) + time
            + Self.octets(UInt16(truncatingIfNeeded: data.count)) + data
    }
}
