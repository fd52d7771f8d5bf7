/// An element for each value of an octet, made once and kept for ever, as the tables of a parser are: a look into it
/// needs no check of its bounds and counts no reference.
struct OctetTable<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// Of 256 elements that nobody changes and nobody frees.
    private let elements: UnsafePointer<Element>

    init(_ element: (UInt8) -> Element) {
        let elements = UnsafeMutablePointer<Element>.allocate(capacity: 256)
        for octet in UInt8.min...UInt8.max { (elements + Int(octet)).initialize(to: element(octet)) }
        self.elements = UnsafePointer(elements)
    }

    @inline(__always)
    subscript(_ octet: UInt8) -> Element { elements[Int(octet)] }
}
