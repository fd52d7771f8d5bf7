import EngineKit
import Glibc
import RTPMedia
import Testing

/// The folder with packets that other projects recorded or made up, where there is one.
let corpora = getenv("OFFHOOK_CORPORA").map { String(cString: $0) }

/// The files below `folder` of the corpora whose path contains one of `words`, in order.
func corpusFiles(in folder: String, containing words: [String]) -> [[UInt8]] {
    guard let corpora else { return [] }
    return paths(below: "\(corpora)/\(folder)", name: "").filter { path in words.contains { path.contains($0) } }
        .sorted().map { contents(of: "\(corpora)/\(folder)/\($0)") }
}

/// The regular files of a folder and of those in it, relative to it.
private func paths(below folder: String, name: String) -> [String] {
    guard let directory = opendir(folder) else { return name.isEmpty ? [] : [name] }
    defer { closedir(directory) }
    var found: [String] = []
    while let entry = readdir(directory) {
        let child = withUnsafePointer(to: entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard !child.hasPrefix(".") else { continue }
        found += paths(below: "\(folder)/\(child)", name: name.isEmpty ? child : "\(name)/\(child)")
    }
    return found
}

private func contents(of path: String) -> [UInt8] {
    guard let file = fopen(path, "rb") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return bytes
}

func randomBytes(_ count: Int, _ random: inout RandomSource) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
}

func rtpBytes(
    _ payload: [UInt8], payloadType: UInt8 = 0, sequence: UInt16, timestamp: UInt32, source: UInt32 = 7,
    marker: Bool = false
) -> [UInt8] {
    let header = RTPPacket(
        hasMarker: marker, payloadType: payloadType, sequenceNumber: SequenceNumber(sequence), timestamp: timestamp,
        synchronizationSource: source)
    return written { header.writeHeader(to: &$0) } + payload
}

func written(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 1_500)
    var count = 0
    bytes.withUnsafeMutableBufferPointer { memory in
        var writer = ByteWriter(memory.mutableSpan)
        body(&writer)
        count = writer.count
    }
    return Array(bytes[..<count])
}

func parsedRTP(_ bytes: [UInt8]) -> Result<RTPPacket, RTPError> {
    do { return .success(try RTPPacket(parsing: bytes.span)) } catch { return .failure(error) }
}

func parsedRTCP(_ bytes: [UInt8]) -> Result<[RTCPPacket], RTCPError> {
    do {
        try RTCPReader.validate(bytes.span)
        var reader = RTCPReader(bytes.span)
        var packets: [RTCPPacket] = []
        while let packet = try reader.next() { packets.append(packet) }
        return .success(packets)
    } catch {
        return .failure(error)
    }
}

/// Compares the result of a call that changes what it is called on, which `#expect` itself can't make.
func check<Value: Equatable>(
    _ value: Value, _ expected: Value, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(value == expected, sourceLocation: sourceLocation)
}
