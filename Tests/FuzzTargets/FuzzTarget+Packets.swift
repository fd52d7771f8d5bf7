import EngineKit
import RTPMedia
import ServerLocation

extension FuzzTarget {
    /// What a name server says, to a question that the first octet chooses.
    static func names(_ bytes: [UInt8]) throws(Fault) {
        var input = FuzzInput(bytes)
        let kind: DNSRecord.Kind = input.pick(.a, .aaaa, .srv, .naptr)
        let name = input.pick("example.test", "_sip._udp.example.test", "a.b")
        guard let question = NameQuestion(name, .records(kind)) else { return }
        guard case .records(let records) = NameAnswer(parsing: Array(input.rest()), to: question) else { return }
        try check(records.count <= 128, "\(records.count) records of one answer")
        for record in records {
            let isAskedFor =
                switch record.content {
                case .address(let address): kind == (address.isV4 ? .a : .aaaa)
                case .service: kind == .srv
                case .pointer: kind == .naptr
                }
            try check(isAskedFor, "a record that was not asked for")
        }
    }

    /// RTP, RTCP and the payload of a telephone event.
    static func media(_ bytes: [UInt8]) throws(Fault) {
        let packet = try? RTPPacket(parsing: bytes.span)
        if let payload = packet?.payload {
            try check(payload.lowerBound >= 12 && payload.upperBound <= bytes.count, "a payload at \(payload)")
        }
        guard (try? RTCPReader.validate(bytes.span)) != nil else { return }
        var reader = RTCPReader(bytes.span)
        var count = 0
        while (try? reader.next()) ?? nil != nil { count += 1 }
        try check(count <= RTCPReader.maximumPackets, "\(count) packets")
    }
}
