/// A body of several parts (RFC 2046 §5.1; RFC 5621 for SIP). A part that is a multipart itself is not looked into.
package struct MultipartBody: Equatable, Sendable {
    package struct Part: Equatable, Sendable {
        package var headers: Headers
        package var body: [UInt8]

        package init(headers: Headers = Headers(), body: [UInt8]) {
            self.headers = headers
            self.body = body
        }

        /// Plain text where it is not said (RFC 2045 §5.2).
        package var contentType: ContentType { (try? headers.first(ContentType.self)) ?? .plainText }

        /// Whether it may be ignored by who does not understand it; without a word it may not (RFC 5621 §8).
        package var isOptional: Bool { (try? headers.first(ContentDisposition.self))?.isOptional ?? false }
    }

    package enum Fault: Error, Hashable, Sendable {
        /// No `boundary` parameter, or one of other than 1 to 70 characters.
        case boundary
        /// No line with the boundary.
        case noPart
        /// No closing boundary: the end may be missing.
        case unterminated
        case tooManyParts
        case headerLine
    }

    package static let partLimit = 8
    private static let fieldLimit = 32

    package var parts: [Part]

    package init(parts: [Part]) {
        self.parts = parts
    }

    /// One pass over the lines of the body; what stands before the first boundary and behind the last is no part.
    package init(parsing body: [UInt8], type: ContentType) throws(Fault) {
        guard let boundary = type.parameters["boundary"], (1...70).contains(boundary.utf8.count) else {
            throw .boundary
        }
        let delimiter = Array("--\(boundary)".utf8)
        parts = []
        var partStart: Int?
        var lineStart = 0
        var isClosed = false
        while lineStart < body.count, !isClosed {
            let lineEnd = Self.lineEnd(body, from: lineStart)
            let line = body[lineStart..<lineEnd]
            let next = min(lineEnd + 2, body.count)
            if line.starts(with: delimiter), let isLast = Self.isLast(line.dropFirst(delimiter.count)) {
                if let start = partStart {
                    guard parts.count < Self.partLimit else { throw .tooManyParts }
                    // The line end before a boundary belongs to the boundary.
                    parts.append(try Part(parsing: body[start..<max(start, lineStart - 2)]))
                }
                partStart = next
                isClosed = isLast
            }
            lineStart = next
        }
        if partStart == nil { throw .noPart }
        if !isClosed { throw .unterminated }
        if parts.isEmpty { throw .noPart }
    }

    /// Where the line ends: at its CRLF, or at the end of the body.
    fileprivate static func lineEnd(_ bytes: [UInt8], from start: Int) -> Int {
        var index = start
        while index < bytes.count {
            if bytes[index] == 0x0d, index + 1 < bytes.count, bytes[index + 1] == 0x0a { return index }
            index += 1
        }
        return bytes.count
    }

    /// Whether what follows the boundary closes the body; nil where the line is none of a boundary after all.
    private static func isLast(_ rest: ArraySlice<UInt8>) -> Bool? {
        let isLast = rest.starts(with: [0x2d, 0x2d])
        return (isLast ? rest.dropFirst(2) : rest).allSatisfy(\.isBlank) ? isLast : nil
    }

    // MARK: - Writing

    /// The body, and its type with a boundary that occurs in no part.
    package func written(as subtype: String = "mixed") -> (type: ContentType, body: [UInt8]) {
        var number = 0
        var boundary = "offhook-0"
        while parts.contains(where: { $0.contains(boundary) }) {
            number += 1
            boundary = "offhook-\(number)"
        }
        var type = ContentType("multipart", subtype)
        type.parameters.append("boundary", boundary)
        var writer = MessageWriter()
        for part in parts {
            writer.write("--\(boundary)")
            writer.endLine()
            part.headers.write(to: &writer)
            writer.endLine()
            writer.write(body: part.body)
            writer.endLine()
        }
        writer.write("--\(boundary)--")
        writer.endLine()
        return (type, writer.bytes)
    }
}

extension MultipartBody.Part {
    /// Header lines, an empty line and the content; both may be missing.
    fileprivate init(parsing bytes: ArraySlice<UInt8>) throws(MultipartBody.Fault) {
        let bytes = Array(bytes)
        headers = Headers()
        var name: String?
        var value = ""
        var lineStart = 0
        while lineStart < bytes.count {
            let lineEnd = MultipartBody.lineEnd(bytes, from: lineStart)
            let line = bytes[lineStart..<lineEnd]
            lineStart = min(lineEnd + 2, bytes.count)
            guard let first = line.first else { break }
            if first.isBlank {
                let rest = Self.trimmed(line)
                if !rest.isEmpty { value += value.isEmpty ? rest : " " + rest }
                continue
            }
            try headers.appendPart(name, value)
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw .headerLine }
            name = Self.trimmed(line[..<colon])
            value = Self.trimmed(line[(colon + 1)...])
        }
        try headers.appendPart(name, value)
        body = Array(bytes[lineStart...])
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        var bytes = bytes
        while bytes.first?.isBlank == true { bytes.removeFirst() }
        while bytes.last?.isBlank == true { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    fileprivate func contains(_ boundary: String) -> Bool {
        let word = Array(boundary.utf8)
        guard body.count >= word.count else { return false }
        return (0...(body.count - word.count)).contains { start in body[start...].starts(with: word) }
    }
}

extension Headers {
    /// Adds a field of a part. Its length is known, so that Content-Length is left out.
    fileprivate mutating func appendPart(_ name: String?, _ value: String) throws(MultipartBody.Fault) {
        guard let name else { return }
        guard let known = HeaderName(name), count < 32 else { throw .headerLine }
        do throws(FieldError) {
            try append(known, value)
        } catch {
            if error == .endsLine { throw .headerLine }
        }
    }
}

extension Headers {
    /// What a body consists of: its parts where it is a multipart, else itself.
    package func parts(of body: [UInt8]) throws(MultipartBody.Fault) -> [MultipartBody.Part] {
        guard !body.isEmpty else { return [] }
        guard let type = try? first(ContentType.self), type.isMultipart else {
            return [MultipartBody.Part(headers: self, body: body)]
        }
        return try MultipartBody(parsing: body, type: type).parts
    }
}

extension Headers {
    /// The description of the session among what a body consists of (RFC 3261 §20.11): the body, or the first part of a
    /// multipart, that is SDP, is meant for the session and stands there in plain octets. SDP without a word of its
    /// disposition is meant for the session.
    package func sessionDescription(among body: [UInt8]) -> [UInt8]? {
        guard !body.isEmpty, let type = try? first(ContentType.self) else { return nil }
        if type.isDescription { return isForSession && hasPlainContent ? body : nil }
        guard type.isMultipart else { return nil }
        return (try? parts(of: body))?.first { part in
            part.contentType.isDescription && part.headers.isForSession && part.headers.hasPlainContent
        }?.body
    }

    /// Whether a body of SDP is meant for the session.
    var isForSession: Bool { (try? first(ContentDisposition.self))?.isSession ?? true }

    /// Whether a body of that type is for what we do with it.
    func isDispositionTaken(of type: ContentType) -> Bool {
        type.isDescription ? isForSession : (try? first(ContentDisposition.self))?.isTaken ?? true
    }

    /// Whether octets are content as they are: SIP is eight bits wide, so that no transfer coding is needed
    /// (RFC 5621 §3).
    var hasPlainContent: Bool { hasPlainTransfer && contentCodings.isEmpty }

    var hasPlainTransfer: Bool {
        guard let coding = first(.contentTransferEncoding) else { return true }
        return ["binary", "8bit", "7bit"].contains { coding.equalsIgnoringCase($0) }
    }

    /// The content codings other than `identity` (RFC 3261 §20.12).
    var contentCodings: [String] {
        ((try? first(ContentEncoding.self))?.tags ?? []).filter { !$0.equalsIgnoringCase("identity") }
    }
}

extension ContentType {
    package var isMultipart: Bool { type.equalsIgnoringCase("multipart") }
}
