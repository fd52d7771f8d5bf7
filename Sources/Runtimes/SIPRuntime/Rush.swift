/// Tells when many transactions have come to their end.
struct Rush {
    /// Fewer than that are not worth the work.
    private static let least = 2000

    private var most = 0
    private var threshold = 0

    /// Whether of a rush no more than a tenth is left, then a tenth of that, and at last nothing; true once for each.
    mutating func isOver(holding count: Int) -> Bool {
        if count > most {
            most = count
            threshold = count / 10
        }
        guard most >= Self.least, count <= threshold else { return false }
        threshold /= 10
        if count == 0 { most = 0 }
        return true
    }
}
