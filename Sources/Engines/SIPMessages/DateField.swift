/// The moment a message was sent, always in GMT (RFC 3261 §20.17, the RFC 1123 form).
package struct DateField: HeaderField {
    package static var name: HeaderName { .date }
    package static var shape: FieldShape { .single }
    /// Seconds since 1970-01-01 00:00:00 GMT.
    package var unixSeconds: Int64

    package init(unixSeconds: Int64) { self.unixSeconds = unixSeconds }

    /// Reads `Sat, 13 Nov 2010 23:29:00 GMT`. The day of the week must be one, but need not be the right one. A time
    /// zone other than GMT is a fault of its own (RFC 4475 §3.1.2.12).
    package init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        cursor.skipBlanks()
        _ = try cursor.word(of: Self.weekdays)
        guard cursor.take(UInt8(ascii: ",")) else { throw cursor.fault(.expected(.date)) }
        cursor.skipBlanks()
        let day = Int64(try cursor.digits(2))
        cursor.skipBlanks()
        let month = Int64(try cursor.word(of: Self.months)) + 1
        cursor.skipBlanks()
        let year = Int64(try cursor.digits(4))
        cursor.skipBlanks()
        let hour = Int64(try cursor.digits(2))
        guard cursor.take(UInt8(ascii: ":")) else { throw cursor.fault(.expected(.date)) }
        let minute = Int64(try cursor.digits(2))
        guard cursor.take(UInt8(ascii: ":")) else { throw cursor.fault(.expected(.date)) }
        let second = Int64(try cursor.digits(2))
        cursor.skipBlanks()
        let zone = try cursor.tokenRange()
        guard cursor.isExactly(zone, "GMT") else { throw FieldFault(.timeZone, at: zone.lowerBound) }
        guard (1...Self.daysIn(month, year)).contains(day), hour < 24, minute < 60, second <= 60 else {
            throw cursor.fault(.expected(.date))
        }
        unixSeconds = Self.days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    }

    package func write(to writer: inout MessageWriter) {
        // Four digits are all that the grammar has for a year.
        let held = min(max(unixSeconds, Self.days(0, 1, 1) * 86_400), Self.days(9999, 12, 31) * 86_400 + 86_399)
        let days = held.flooringDivided(by: 86_400)
        let second = held - days * 86_400
        let (year, month, day) = Self.civil(days)
        let weekday = (days + 3) - (days + 3).flooringDivided(by: 7) * 7
        writer.write(Self.weekdays[Int(weekday)])
        writer.write(fixed: ", ")
        writer.write(padded: day, to: 2)
        writer.write(fixed: " ")
        writer.write(Self.months[Int(month - 1)])
        writer.write(fixed: " ")
        writer.write(padded: year, to: 4)
        writer.write(fixed: " ")
        writer.write(padded: second / 3600, to: 2)
        writer.write(fixed: ":")
        writer.write(padded: second / 60 % 60, to: 2)
        writer.write(fixed: ":")
        writer.write(padded: second % 60, to: 2)
        writer.write(fixed: " GMT")
    }

    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func daysIn(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// Days since 1970-01-01 in the Gregorian calendar; the year is counted from March, so that the leap day is last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year.flooringDivided(by: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted.flooringDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Int64 {
    fileprivate func flooringDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

extension FieldCursor {
    /// The index of the word that stands here, in exactly that spelling but for case.
    fileprivate mutating func word(of words: [String]) throws(FieldFault) -> Int {
        let range = try tokenRange()
        guard let index = words.firstIndex(where: { $0.equalsIgnoringCase(text(range)) }) else {
            throw FieldFault(.expected(.date), at: range.lowerBound)
        }
        return index
    }

    /// A number of exactly `count` digits.
    fileprivate mutating func digits(_ count: Int) throws(FieldFault) -> UInt64 {
        let start = position
        let value = try number()
        if position - start != count { throw FieldFault(.expected(.date), at: start) }
        return value
    }
}

extension MessageWriter {
    fileprivate mutating func write(padded number: Int64, to width: Int) {
        let digits = String(number)
        for _ in 0..<max(0, width - digits.utf8.count) { write(fixed: "0") }
        write(digits)
    }
}
