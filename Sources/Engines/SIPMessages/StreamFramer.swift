/// Cuts a byte stream into messages by Content-Length (RFC 3261 §18.3) and keep-alives (RFC 5626 §3.5.1).
///
/// However the stream is cut into reads, the frames are the same. Nothing is allocated on the word of the peer: the
/// buffer grows only with what has arrived and never holds more than one message and one read.
package struct StreamFramer: Sendable {
    package enum Frame: Equatable, Sendable {
        case message([UInt8])
        /// The second CRLF in a row: to be answered with one CRLF.
        case keepAlivePing
        /// One CRLF: the answer to a ping of ours, or the first half of a ping. To be ignored if none is awaited.
        case keepAlivePong
    }

    private var buffer: [UInt8] = []
    /// The first octet that belongs to no frame yet.
    private var start = 0
    /// Up to here no end of the head was found.
    private var scanned = 0
    /// The octets of the message whose head is complete.
    private var frameLength: Int?
    private var lineEnds = 0
    private var failure: FramingError?
    private let limits: MessageLimits

    package init(limits: MessageLimits = .standard) {
        self.limits = limits
    }

    /// Octets that wait for the rest of their frame.
    package var pending: Int { buffer.count - start }

    package mutating func append(_ bytes: some Collection<UInt8>) {
        if failure != nil { return }
        if start > 0 {
            buffer.removeFirst(start)
            scanned -= start
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next complete frame, or nil until more has arrived. After an error the stream has no frames any more: it
    /// is to be closed, and every further call fails the same way.
    package mutating func next() throws(FramingError) -> Frame? {
        if let failure { throw failure }
        if frameLength == nil {
            if let keepAlive = nextKeepAlive() { return keepAlive }
            try readHead()
        }
        guard let frameLength, pending >= frameLength else { return nil }
        let message = Array(buffer[start..<start + frameLength])
        consume(frameLength)
        lineEnds = 0
        return .message(message)
    }

    private mutating func nextKeepAlive() -> Frame? {
        guard pending >= 2, buffer[start] == 0x0d, buffer[start + 1] == 0x0a else { return nil }
        consume(2)
        lineEnds += 1
        return lineEnds.isMultiple(of: 2) ? .keepAlivePing : .keepAlivePong
    }

    private mutating func consume(_ count: Int) {
        start += count
        scanned = start
        frameLength = nil
    }

    /// Looks for the empty line that ends a head and, once it is there, for the length of the body.
    private mutating func readHead() throws(FramingError) {
        guard let headEnd = endOfHead() else {
            if pending > limits.message { try fail(.tooLong, headEnd: buffer.count) }
            return
        }
        let length: Int
        do throws(FramingError.Kind) {
            length = try contentLength(start..<headEnd)
        } catch {
            try fail(error, headEnd: headEnd)
            return
        }
        if headEnd - start > limits.message || length > limits.body { try fail(.tooLong, headEnd: headEnd) }
        frameLength = headEnd - start + length
    }

    private mutating func endOfHead() -> Int? {
        var index = max(scanned, start)
        while index + 3 < buffer.count {
            if buffer[index] == 0x0d, buffer[index + 1] == 0x0a, buffer[index + 2] == 0x0d, buffer[index + 3] == 0x0a {
                return index + 4
            }
            index += 1
        }
        scanned = index
        return nil
    }

    private mutating func fail(_ kind: FramingError.Kind, headEnd: Int) throws(FramingError) {
        let error = FramingError(kind: kind, head: Array(buffer[start..<min(headEnd, start + limits.message)]))
        failure = error
        buffer = []
        (start, scanned) = (0, 0)
        throw error
    }

    /// The one value of Content-Length in the head.
    private func contentLength(_ head: Range<Int>) throws(FramingError.Kind) -> Int {
        var found: Int?
        var lineStart = head.lowerBound
        while lineStart < head.upperBound {
            var lineEnd = lineStart
            while lineEnd < head.upperBound, buffer[lineEnd] != 0x0a { lineEnd += 1 }
            var nameEnd = lineStart
            while nameEnd < lineEnd, ByteSet.token.contains(buffer[nameEnd]) { nameEnd += 1 }
            if KnownHeader(named: buffer, lineStart..<nameEnd) == .contentLength {
                if found != nil { throw .repeatedContentLength }
                found = try value(&lineEnd, from: nameEnd, head.upperBound)
            }
            lineStart = lineEnd + 1
        }
        guard let found else { throw .missingContentLength }
        return found
    }

    /// The number behind the colon; the line may be folded, which moves `lineEnd` on.
    private func value(_ lineEnd: inout Int, from nameEnd: Int, _ headEnd: Int) throws(FramingError.Kind) -> Int {
        while lineEnd + 1 < headEnd, buffer[lineEnd + 1].isBlank {
            lineEnd += 1
            while lineEnd < headEnd, buffer[lineEnd] != 0x0a { lineEnd += 1 }
        }
        let text = buffer[nameEnd..<lineEnd].map { MessageWriter.endsLine($0) ? 0x20 : $0 }
        var cursor = FieldCursor(text, 0..<text.count, limits: limits.field)
        do throws(FieldFault) {
            guard cursor.takeSeparator(UInt8(ascii: ":")) else { throw cursor.fault(.headerLine) }
            let number = try cursor.number()
            try cursor.expectEnd()
            return Int(truncatingIfNeeded: number)
        } catch {
            throw .badContentLength
        }
    }
}

/// Why a stream can't be cut any further; the connection is to be closed.
package struct FramingError: Error, Equatable, Sendable {
    package enum Kind: Error, Hashable, Sendable {
        /// A stream needs Content-Length in every message (RFC 3261 §20.14).
        case missingContentLength
        case badContentLength
        case repeatedContentLength
        /// More octets than a message or body may have.
        case tooLong
    }

    package var kind: Kind
    /// The head at fault, from which `MessageParser` can tell the answer that is owed before the connection closes.
    package var head: [UInt8]
}
