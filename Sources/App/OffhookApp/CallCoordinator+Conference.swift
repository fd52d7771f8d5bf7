import SIPUserAgent

/// Calls whose peers hear each other.
extension CallCoordinator {
    /// Puts two calls, and whoever either is in conference with, into one conference. Of the two neither waits any longer.
    mutating func confer(_ handle: CallHandle, with other: CallHandle) {
        guard handle != other, calls[handle]?.isUp == true, calls[other]?.isUp == true else { return }
        let (first, second) = (conference(of: other), conference(of: handle))
        let members = order.filter { first.contains($0) || second.contains($0) }
        let number = calls[other]?.conference ?? calls[handle]?.conference ?? conferencesBegun &+ 1
        conferencesBegun = max(conferencesBegun, number)
        for member in members { place(member, in: number) }
        for member in [other, handle] {
            guard let call = calls[member], call.isHeldByUs || call.isToBeHeld else { continue }
            takeBack(member)
        }
        report(members)
    }

    /// A call is up that was to be let into another, or that others were to be let into.
    mutating func joinAsWished(_ handle: CallHandle) {
        for joining in order {
            guard let joined = calls[joining]?.joins, joining == handle || joined == handle,
                calls[joining]?.isUp == true, calls[joined]?.isUp == true
            else { continue }
            calls[joining]?.joins = nil
            confer(joining, with: joined)
        }
    }

    /// A call has ended: one that goes on in its stead takes its place, and one alone is in no conference.
    mutating func leaveConference(_ handle: CallHandle) {
        guard let number = calls[handle]?.conference else { return }
        place(handle, in: nil)
        if let next = order.first(where: { calls[$0]?.continues == handle && calls[$0]?.isUp == true }) {
            place(next, in: number)
        }
        let members = order.filter { calls[$0]?.conference == number }
        if let last = members.first, members.count == 1 { place(last, in: nil) }
        report(members)
    }

    /// The calls of a call's conference in their order; it alone where it is in none.
    func conference(of handle: CallHandle) -> [CallHandle] {
        guard let number = calls[handle]?.conference else { return [handle] }
        return order.filter { calls[$0]?.conference == number }
    }

    private mutating func place(_ handle: CallHandle, in number: UInt32?) {
        guard calls[handle]?.conference != number else { return }
        calls[handle]?.conference = number
        emit(.media(.conference(handle, number)))
    }

    /// Tells of each call whom its peer hears now.
    private mutating func report(_ members: [CallHandle]) {
        for member in members {
            let others = conference(of: member).filter { $0 != member }
            report(member, .conference(with: others.compactMap { calls[$0]?.identity.shortName }))
        }
    }
}
