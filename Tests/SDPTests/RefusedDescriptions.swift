/// The descriptions of others that are refused, by the reason: the names of their files.
enum RefusedDescriptions {
    static let byReason: [String: [String]] = [
        "a malformed c= line (RFC 8866 §9)": ["9b9052bb4719"],
        // Templates, whose port is still a pattern, and tests of parsers that leave words out.
        "a malformed m= line (RFC 8866 §9)": [
            "0e1276f993f6", "199fc6fb4486", "23a630ee2037", "23c590c101cf", "2a1f27cedc13", "490f3da2b3ad",
            "5bdf5be1790f", "5f582b49abea", "63cf345ca91e", "6ee7d85e4f62", "857473be0a4a", "98b84b8ec2dd",
            "a654dd45f20c", "b5d51008514f", "db8fb0c9d0a1", "defaf67d4bda", "ed79328ffd5e",
        ],
        // Templates, whose version is still a pattern.
        "a malformed o= line (RFC 8866 §9)": ["75949a4e9314", "9b750b9a1222", "cae0104b525a"],
        "no o= line (RFC 8866 §5)": ["a4d4044a2a73"],
        // More than 64 candidates and codecs of one video line.
        "too many attributes in a section": ["24cda4846a45", "abb7429aa788", "ff6c0d7e55fb"],
    ]
}
