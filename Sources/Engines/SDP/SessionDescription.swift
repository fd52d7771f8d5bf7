/// A session description (RFC 8866): the lines as they stood on the wire, and what they say.
///
/// A description is read whole or made whole and does not change, so that what was parsed is written byte for byte.
/// Taken beyond the grammar, because phones send it: LF alone, a missing `s=` or `t=`, session lines in another order,
/// blank lines at the end.
package struct SessionDescription: Sendable {
    package let media: [MediaDescription]
    /// The session section's lines, in order.
    package let lines: SDPLines

    /// For the parser, which has read all of it.
    init(media: [MediaDescription], lines: SDPLines) {
        self.media = media
        self.lines = lines
    }

    /// A description of ours. An answer repeats the timing of the offer (RFC 3264 §6).
    init(
        sessionID: UInt64, version: UInt64, connection: Connection, answering offer: SessionDescription?,
        media: [MediaDescription]
    ) {
        var writer = SDPLineWriter()
        writer.line(.version) { $0.append(UInt8(ascii: "0")) }
        writer.line(.origin) { bytes in
            bytes += "- ".utf8
            bytes.append(decimal: sessionID)
            bytes.append(UInt8(ascii: " "))
            bytes.append(decimal: version)
            bytes.append(UInt8(ascii: " "))
            bytes += connection.value
        }
        writer.line(.sessionName) { $0.append(UInt8(ascii: "-")) }
        writer.line(.connection) { $0 += connection.value }
        let timing = offer?.timing ?? []
        for line in timing { writer.line(line.letter) { $0 += line.value } }
        if timing.isEmpty { writer.line(.timing) { $0 += "0 0".utf8 } }
        self.init(media: media, lines: writer.lines)
    }

    package var origin: Origin { Origin(value: lines.value(of: .origin) ?? []) }

    package var connection: Connection? { lines.connection }

    /// Of the session section.
    package var attributes: some Sequence<Attribute> { lines.attributes }

    /// `s=`; nil where the line is missing.
    package var sessionName: String? { lines.first { $0.letter == .sessionName }?.text }

    /// The `t=` lines with their repeats and time zones.
    var timing: [SDPLine] {
        lines.indices.compactMap { lines.place(at: $0).letter.isTiming ? lines[$0] : nil }
    }

    /// The lines `b=` of a section.
    package static func bandwidth(of lines: SDPLines) -> [Bandwidth] {
        lines.compactMap { $0.letter == .bandwidth ? Bandwidth(parsing: $0.value) : nil }
    }

    /// Which way media of a section flows, as the maker says it: its own attribute, else the session's, else both ways.
    package func direction(of section: MediaDescription) -> Direction {
        section.direction ?? lines.direction ?? .sendReceive
    }

    /// Where media of a section is to be sent: its own `c=` line, else the session's.
    package func connection(of section: MediaDescription) -> Connection? {
        section.connection ?? connection
    }

    /// Milliseconds in a packet that the maker wants to receive; the session's attribute stands in for an absent one.
    package func ptime(of section: MediaDescription) -> Int? {
        section.ptime ?? lines.packetTime("ptime")
    }

    /// Blank lines behind the last line.
    private var trailer: ArraySlice<UInt8> {
        let last = media.last?.lines ?? lines
        return last.bytes[last.text.endIndex...]
    }

    /// The description as it goes on the wire.
    package func bytes() -> [UInt8] {
        let trailer = trailer
        var bytes: [UInt8] = []
        bytes.reserveCapacity(media.reduce(lines.text.count + trailer.count) { $0 + $1.lines.text.count })
        bytes += lines.text
        for section in media { bytes += section.lines.text }
        bytes += trailer
        return bytes
    }
}

extension SessionDescription: Hashable {
    /// All that a description says stands in its lines.
    package static func == (left: SessionDescription, right: SessionDescription) -> Bool {
        left.lines == right.lines && left.media == right.media && left.trailer == right.trailer
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(lines)
        hasher.combine(media)
        hasher.combine(trailer)
    }
}
