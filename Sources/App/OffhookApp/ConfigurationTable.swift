/// Reads the keys of one table of a configuration file, and keeps every fault instead of stopping at the first.
///
/// Each key that is asked for becomes a known one; when the section is done, what remains is unknown.
struct ConfigurationTable {
    /// The table's place in the file: `account[2]`, or empty at the top.
    let path: String
    let position: TextPosition
    private let entries: [TOMLValue.Entry]
    private var knownKeys: [String] = []
    private(set) var faults: [ConfigurationFault] = []

    init(path: String = "", _ entries: [TOMLValue.Entry], at position: TextPosition) {
        self.path = path
        self.position = position
        self.entries = entries
    }

    // MARK: - Values

    mutating func string(_ key: String) -> String? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value.content else { return refuse(value, of: key, expecting: "a text") }
        return checked(text, of: key)
    }

    /// A text without the characters that would end a line of a message or move a terminal's cursor.
    private mutating func checked(_ text: String, of key: String) -> String? {
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control && $0 != "\t" }) else {
            refuse(key, "holds a control character")
            return nil
        }
        return text
    }

    mutating func boolean(_ key: String) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .boolean(let boolean) = value.content else {
            return refuse(value, of: key, expecting: "true or false")
        }
        return boolean
    }

    mutating func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(key) else { return nil }
        guard case .integer(let wide) = value.content else {
            return refuse(value, of: key, expecting: "a whole number")
        }
        guard let number = Int(exactly: wide), range.contains(number) else {
            refuse(key, "\(wide) is not in \(range.lowerBound)...\(range.upperBound)")
            return nil
        }
        return number
    }

    /// A text that means something: `parse` gives nil where it does not.
    mutating func parsed<Value>(_ key: String, as expectation: String, _ parse: (String) -> Value?) -> Value? {
        guard let text = string(key) else { return nil }
        guard let value = parse(text) else {
            refuse(key, "\(quoted(text)) is not \(expectation)")
            return nil
        }
        return value
    }

    /// One of a few words.
    mutating func choice<Value>(_ key: String, _ choices: [(word: String, value: Value)]) -> Value? {
        guard let text = string(key) else { return nil }
        if let choice = choices.first(where: { $0.word == text }) { return choice.value }
        refuse(key, problem(of: text, among: choices.map(\.word)))
        return nil
    }

    /// A list of texts. A single text stands for a list of one.
    mutating func strings(_ key: String) -> [String]? {
        guard let value = value(key) else { return nil }
        if case .string(let text) = value.content { return checked(text, of: key).map { [$0] } }
        guard case .array(let items) = value.content else {
            return refuse(value, of: key, expecting: "a list of texts")
        }
        return items.compactMap { item in
            guard case .string(let text) = item.content else {
                return refuse(item, of: key, expecting: "a text")
            }
            return checked(text, of: key)
        }
    }

    /// A list of texts that mean something.
    mutating func parsedList<Value>(
        _ key: String, as expectation: String, choices: [String] = [], _ parse: (String) -> Value?
    ) -> [Value]? {
        strings(key)?.compactMap { text in
            if let value = parse(text) { return value }
            refuse(
                key, choices.isEmpty ? "\(quoted(text)) is not \(expectation)" : problem(of: text, among: choices))
            return nil
        }
    }

    // MARK: - Sections

    /// Reads the table under `key`, where there is one.
    mutating func section(_ key: String, _ read: (inout ConfigurationTable) -> Void) {
        guard let value = value(key) else { return }
        guard case .table(let entries) = value.content else {
            let _: Never? = refuse(value, of: key, expecting: "a table, [\(key)]")
            return
        }
        self.read(entries, path: qualified(key), at: value.position, read)
    }

    /// Reads each table of the list under `key`.
    mutating func sections(_ key: String, _ read: (inout ConfigurationTable) -> Void) {
        guard let value = value(key) else { return }
        guard case .array(let items) = value.content else {
            let _: Never? = refuse(value, of: key, expecting: "a list of tables, [[\(key)]]")
            return
        }
        for (index, item) in items.enumerated() {
            guard case .table(let entries) = item.content else {
                let _: Never? = refuse(item, of: key, expecting: "a table, [[\(key)]]")
                continue
            }
            self.read(entries, path: "\(qualified(key))[\(index + 1)]", at: item.position, read)
        }
    }

    private mutating func read(
        _ entries: [TOMLValue.Entry], path: String, at position: TextPosition,
        _ read: (inout ConfigurationTable) -> Void
    ) {
        var section = ConfigurationTable(path: path, entries, at: position)
        read(&section)
        section.refuseUnknownKeys()
        faults += section.faults
    }

    // MARK: - Faults

    /// Whether the key stands in the table, whatever its value.
    func contains(_ key: String) -> Bool { entries.contains { $0.key == key } }

    /// Whether the key has a list without anything in it.
    func isEmptyList(_ key: String) -> Bool {
        guard case .array(let items)? = entries.first(where: { $0.key == key })?.value.content else { return false }
        return items.isEmpty
    }

    /// Where the value of a key stands.
    func position(of key: String) -> TextPosition {
        entries.first { $0.key == key }?.value.position ?? position
    }

    mutating func refuse(_ key: String, _ problem: String) {
        faults.append(ConfigurationFault(position: position(of: key), key: qualified(key), problem: problem))
    }

    /// A fault where the key is missing.
    mutating func require(_ key: String, because reason: String) {
        guard !contains(key) else { return }
        faults.append(ConfigurationFault(position: position, key: qualified(key), problem: "is missing: \(reason)"))
    }

    /// Call last: whatever was not asked for is a fault.
    mutating func refuseUnknownKeys() {
        for entry in entries where !knownKeys.contains(entry.key) {
            let hint = nearestWord(to: entry.key, among: knownKeys).map { "; did you mean `\($0)`?" } ?? ""
            faults.append(
                ConfigurationFault(
                    position: entry.keyPosition, key: qualified(printable(entry.key)), problem: "unknown key\(hint)"))
        }
    }

    private mutating func refuse<Value>(_ value: TOMLValue, of key: String, expecting expectation: String) -> Value? {
        faults.append(
            ConfigurationFault(
                position: value.position, key: qualified(key), problem: "\(expectation) is expected, not \(value.kind)")
        )
        return nil
    }

    private mutating func value(_ key: String) -> TOMLValue? {
        if !knownKeys.contains(key) { knownKeys.append(key) }
        return entries.first { $0.key == key }?.value
    }

    private func qualified(_ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    private func problem(of text: String, among words: [String]) -> String {
        let hint = nearestWord(to: text, among: words).map { "did you mean \(quoted($0))?" }
        return "\(quoted(text)) is not known; \(hint ?? "it is one of \(words.joined(separator: ", "))")"
    }

    private func quoted(_ text: String) -> String { "\"\(printable(text))\"" }

    /// At most 80 characters, and none that a terminal would obey.
    private func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(80).map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: "\u{fffd}"
                    default: scalar
                    }
                }))
    }
}
