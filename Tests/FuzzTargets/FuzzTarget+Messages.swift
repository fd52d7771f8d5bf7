import SIPMessages

extension FuzzTarget {
    /// One datagram: read or refused with a place in it, explained, and the same after it was written.
    static func message(_ bytes: [UInt8]) throws(Fault) {
        let explanation = MessageExplanation(of: bytes)
        try check(!explanation.lines.isEmpty, "nothing is explained")
        let message: Message
        do throws(ParseError) {
            message = try MessageParser.parse(bytes)
        } catch {
            try check((0...bytes.count).contains(error.offset), "a fault at \(error.offset)")
            if let answer = error.owedResponse {
                try check(answer.status == error.kind.status, "owed \(answer.status), not \(error.kind.status)")
            }
            return
        }
        switch message {
        case .request(let request): _ = Validation.violations(of: request, Capabilities())
        case .response(let response): _ = Validation.reasonToDiscard(response)
        }
        try isReadBack(message)
    }

    /// What gets longer when it is written in full, each value on a line of its own, may go beyond a limit, never
    /// anything else.
    static func isReadBack(_ message: Message) throws(Fault) {
        let read: Message
        do throws(ParseError) {
            read = try MessageParser.parse(message.bytes())
        } catch {
            switch error.kind {
            case .tooLong, .tooMany: return
            default: throw Fault(description: "written it can not be read: \(error)")
            }
        }
        try check(read == message, "written and read it is another")
    }

    /// A stream: the same frames however it is cut. The first octet says how.
    static func stream(_ bytes: [UInt8]) throws(Fault) {
        var input = FuzzInput(bytes)
        let step = Int(input.byte()) + 1
        let octets = Array(input.rest())
        let whole = frames([octets[...]])
        let cut = frames(
            stride(from: 0, to: octets.count, by: step).map { octets[$0..<min($0 + step, octets.count)] })
        // Without its end a stream may be found bad at once or later; what comes before is the same.
        try check(
            whole.frames.starts(with: cut.frames) || cut.frames.starts(with: whole.frames),
            "cut into \(step) octets the frames are others")
        if whole.failure == nil { try check(cut.frames == whole.frames, "cut into \(step) octets there are fewer") }
    }

    private static func frames(
        _ pieces: [ArraySlice<UInt8>]
    ) -> (frames: [StreamFramer.Frame], failure: FramingError?) {
        var framer = StreamFramer()
        var frames: [StreamFramer.Frame] = []
        for piece in pieces {
            framer.append(piece)
            do throws(FramingError) {
                while let frame = try framer.next() { frames.append(frame) }
            } catch {
                return (frames, error)
            }
        }
        return (frames, nil)
    }

    /// A URI: the same after it was written, and equal to itself.
    static func uri(_ bytes: [UInt8]) throws(Fault) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let uri = try? URI(parsing: text) else { return }
        try check(uri == uri && Set([uri]).contains(uri), "it is not equal to itself")
        let written = uri.description
        guard let read = try? URI(parsing: written) else { throw Fault(description: "not read back: \(written)") }
        try check(read == uri && read.description == written, "\(text) and \(written) differ")
    }

    /// A body of several parts, and the value of its Content-Type, whose length the first octet says: the same parts
    /// after they were written.
    static func multipart(_ bytes: [UInt8]) throws(Fault) {
        var input = FuzzInput(bytes)
        var headers = Headers()
        guard (try? headers.append(.contentType, input.text())) != nil else { return }
        let body = Array(input.rest())
        _ = try? headers.parts(of: body)
        guard let type = try? headers.first(ContentType.self),
            let multipart = try? MultipartBody(parsing: body, type: type)
        else { return }
        try check((1...MultipartBody.partLimit).contains(multipart.parts.count), "\(multipart.parts.count) parts")
        let written = multipart.written(as: type.subtype)
        guard let read = try? MultipartBody(parsing: written.body, type: written.type) else {
            throw Fault(description: "written it can not be read")
        }
        try check(read == multipart, "written and read it is another")
    }
}
