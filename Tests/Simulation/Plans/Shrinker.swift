/// Makes a failing plan small: leaves out whatever the same violation does not need.
package struct Shrinker {
    package private(set) var plan: Plan
    /// The invariant that keeps failing.
    package let invariant: Invariant
    /// How many plans were played.
    package private(set) var trials = 0

    /// - Returns: nil where the plan does not fail.
    package init?(_ plan: Plan) {
        var trial = Trial(plan)
        trial.run()
        guard let first = trial.violations.first else { return nil }
        invariant = first.invariant
        self.plan = plan
        // The weather becomes a list of mishaps, of which each may be left out.
        if plan.mishaps == nil {
            var spelledOut = plan
            spelledOut.mishaps = trial.mishaps
            spelledOut.conditions = plan.conditions.calm
            if fails(spelledOut) { self.plan = spelledOut }
        }
    }

    /// Leaves out until nothing can be left out any more, or `limit` plans were played.
    package mutating func shrink(limit: Int = 2000) {
        var before: Plan
        repeat {
            before = plan
            shrinkSteps(limit)
            shrinkMishaps(limit)
            calm()
        } while plan != before && trials < limit
    }

    private mutating func fails(_ candidate: Plan) -> Bool {
        trials += 1
        var trial = Trial(candidate)
        trial.run()
        return trial.violations.contains { $0.invariant == invariant }
    }

    private mutating func take(_ candidate: Plan) -> Bool {
        guard candidate != plan, fails(candidate) else { return false }
        plan = candidate
        return true
    }

    private mutating func shrinkSteps(_ limit: Int) {
        // Whole calls first.
        for call in Set(plan.steps.compactMap(\.call)).sorted() {
            var candidate = plan
            candidate.steps.removeAll { $0.call == call }
            _ = take(candidate)
        }
        remove(from: plan.steps, limit) { $0.steps = $1 }
    }

    private mutating func shrinkMishaps(_ limit: Int) {
        guard let mishaps = plan.mishaps else { return }
        let list = mishaps.flatMap { key, happenings in happenings.map { (key, $0) } }
        let sorted = list.sorted { $0.0 < $1.0 }.map { Entry(key: $0.0, mishap: $0.1) }
        remove(from: sorted, limit) { plan, kept in
            plan.mishaps = Dictionary(grouping: kept, by: \.key).mapValues { $0.map(\.mishap) }
        }
    }

    private struct Entry {
        let key: DatagramKey
        let mishap: Mishap
    }

    /// Leaves out ever smaller runs of a list.
    private mutating func remove<Element>(
        from list: [Element], _ limit: Int, into write: (inout Plan, [Element]) -> Void
    ) {
        var list = list
        var length = list.count
        while length > 0 {
            var start = 0
            while start < list.count, trials < limit {
                var kept = list
                kept.removeSubrange(start..<min(start + length, list.count))
                var candidate = plan
                write(&candidate, kept)
                if take(candidate) { list = kept } else { start += length }
            }
            length /= 2
        }
    }

    /// Equal delays, and streams in one piece, where it fails with them too.
    private mutating func calm() {
        var candidate = plan
        candidate.conditions.cutsStreams = false
        _ = take(candidate)
        candidate = plan
        candidate.conditions.delay = NetworkConditions.usualDelay...NetworkConditions.usualDelay
        _ = take(candidate)
        candidate = plan
        candidate.setting.resolutionDelay = .zero
        _ = take(candidate)
        shrinkSetting()
    }

    /// Parties that nobody names any more go, from the last; phones that need no proxy lose it.
    private mutating func shrinkSetting() {
        while let last = plan.setting.rogues.indices.last, !names(.rogue(last)) {
            var candidate = plan
            candidate.setting.rogues.removeLast()
            guard take(candidate) else { break }
        }
        while plan.setting.phones.count > 2, !names(.phone(plan.setting.phones.count - 1)) {
            var candidate = plan
            candidate.setting.phones.removeLast()
            guard take(candidate) else { break }
        }
        for index in plan.setting.phones.indices {
            var candidate = plan
            candidate.setting.phones[index].natPatience = nil
            _ = take(candidate)
            candidate = plan
            candidate.setting.phones[index].behaviour.isAutomatic = false
            candidate.setting.phones[index].isOpen = false
            _ = take(candidate)
        }
        var direct = plan
        direct.setting.proxies = []
        for index in direct.setting.phones.indices { direct.setting.phones[index].proxy = nil }
        _ = take(direct)
    }

    private func names(_ place: Plan.Place) -> Bool {
        plan.steps.contains { $0.names(place) }
    }
}

extension Plan.Step {
    var call: UInt32? {
        if case .deed(_, let deed) = what { deed.call } else { nil }
    }

    /// Whether the step is about somebody.
    func names(_ place: Plan.Place) -> Bool {
        switch what {
        case .deed(let actor, let deed):
            if place == .phone(actor) { return true }
            switch deed.callee {
            case .phone(let index): return place == .phone(index)
            case .rogue(let index): return place == .rogue(index)
            case .everybody: return true
            case nil: return false
            }
        case .fault(let fault):
            return fault.places.contains(place)
        }
    }
}
