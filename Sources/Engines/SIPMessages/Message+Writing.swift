extension Request {
    /// The request on the wire; Content-Length is always there, as a stream needs it (RFC 3261 §18.3).
    package func bytes() -> [UInt8] {
        var writer = MessageWriter(reserving: 512 + headers.storage.count + body.count)
        writer.write(method.name)
        writer.write(fixed: " ")
        uri.write(to: &writer)
        writer.write(fixed: " SIP/2.0\r\n")
        writer.write(vias)
        if let maxForwards {
            writer.write(fixed: "Max-Forwards: ")
            writer.write(number: UInt64(clamping: maxForwards))
            writer.endLine()
        }
        writer.write(from: from, to: to, callID: callID, cSeq: cSeq)
        writer.write(headers, body)
        return writer.bytes
    }
}

extension Response {
    /// The response on the wire; Content-Length is always there, as a stream needs it (RFC 3261 §18.3).
    package func bytes() -> [UInt8] {
        var writer = MessageWriter(reserving: 512 + headers.storage.count + body.count)
        writer.write(fixed: "SIP/2.0 ")
        writer.write(number: UInt64(status.value))
        writer.write(fixed: " ")
        writer.write(reason)
        writer.endLine()
        writer.write(vias)
        if let copiedLines {
            writer.write(raw: copiedLines[...])
        } else {
            writer.write(from: from, to: to, callID: callID, cSeq: cSeq)
        }
        writer.write(headers, body)
        return writer.bytes
    }
}

extension MessageWriter {
    fileprivate mutating func write(_ vias: [Via]) {
        for via in vias {
            write(fixed: "Via: ")
            via.write(to: &self)
            endLine()
        }
    }

    @inline(__always)
    fileprivate mutating func write(from: NameAddress, to: NameAddress, callID: String, cSeq: CSeq) {
        write(fixed: "From: ")
        from.write(to: &self)
        write(fixed: "\r\nTo: ")
        to.write(to: &self)
        write(fixed: "\r\nCall-ID: ")
        write(callID)
        write(fixed: "\r\nCSeq: ")
        cSeq.write(to: &self)
        endLine()
    }

    fileprivate mutating func write(_ headers: Headers, _ body: [UInt8]) {
        headers.write(to: &self)
        write(fixed: "Content-Length: ")
        write(number: UInt64(body.count))
        write(fixed: "\r\n\r\n")
        write(body: body)
    }
}
