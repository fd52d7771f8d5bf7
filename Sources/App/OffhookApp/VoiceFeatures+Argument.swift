import VoiceProcessing

extension VoiceFeatures {
    /// As the command line and the configuration name them.
    static let words: [(word: String, value: VoiceFeatures)] = [
        ("echo", .echoCancellation), ("noise", .noiseSuppression), ("gain", .gainControl),
    ]

    init?(word: String) {
        guard let match = Self.words.first(where: { $0.word == word.lowercased() }) else { return nil }
        self = match.value
    }
}
