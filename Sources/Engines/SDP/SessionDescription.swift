/// A session description (RFC 8866): the lines as they stood on the wire, and what they say.
///
/// A description is read whole or made whole and does not change, so that what was parsed is written byte for byte.
/// Taken beyond the grammar, because phones send it: LF alone, a missing `s=` or `t=`, session lines in another order,
/// blank lines at the end.
package struct SessionDescription: Hashable, Sendable {
    package let origin: Origin
    package let connection: Connection?
    /// Of the session section.
    package let attributes: [Attribute]
    package let media: [MediaDescription]
    /// The session section's lines, in order.
    package let lines: [SDPLine]
    /// Blank lines behind the last line.
    let trailer: [UInt8]

    /// A description of ours. An answer repeats the timing of the offer (RFC 3264 §6).
    init(origin: Origin, connection: Connection, timing: [SDPLine], media: [MediaDescription]) {
        self.origin = origin
        self.connection = connection
        attributes = []
        self.media = media
        lines =
            [SDPLine(.version, "0"), origin.line, SDPLine(.sessionName, "-"), connection.line]
            + (timing.isEmpty ? [SDPLine(.timing, "0 0")] : timing)
        trailer = []
    }

    /// For the parser, which has read all of it.
    init(
        origin: Origin, connection: Connection?, attributes: [Attribute], media: [MediaDescription],
        lines: [SDPLine], trailer: [UInt8]
    ) {
        self.origin = origin
        self.connection = connection
        self.attributes = attributes
        self.media = media
        self.lines = lines
        self.trailer = trailer
    }

    /// `s=`; nil where the line is missing.
    package var sessionName: String? { lines.first { $0.letter == .sessionName }?.text }

    /// The `t=` lines with their repeats and time zones, each ended by CRLF.
    var timing: [SDPLine] {
        lines.filter { $0.letter == .timing || $0.letter == .repeats || $0.letter == .timeZones }
            .map { SDPLine($0.letter, value: $0.value) }
    }

    /// The lines `b=` of a section.
    package static func bandwidth(of lines: [SDPLine]) -> [Bandwidth] {
        lines.compactMap { $0.letter == .bandwidth ? Bandwidth(parsing: $0.value) : nil }
    }

    /// Which way media of a section flows, as the maker says it: its own attribute, else the session's, else both ways.
    package func direction(of section: MediaDescription) -> Direction {
        section.direction ?? attributes.lazy.compactMap(\.direction).first ?? .sendReceive
    }

    /// Where media of a section is to be sent: its own `c=` line, else the session's.
    package func connection(of section: MediaDescription) -> Connection? {
        section.connection ?? connection
    }

    /// Milliseconds in a packet that the maker wants to receive; the session's attribute stands in for an absent one.
    package func ptime(of section: MediaDescription) -> Int? {
        section.ptime ?? attributes.packetTime("ptime")
    }
}
