import CLinux
import EngineKit
import RTPMedia

extension MediaWorker {
    // MARK: - Commands

    mutating func performCommands(at now: Instant) {
        while let command = channel.commands.popFirst() {
            switch command {
            case .add(let box): add(box)
            case .update(let id, let configuration):
                if let box = box(of: id) { box.pointer.pointee.session.update(configuration, at: now) }
            case .stop(let id): stop(id, at: now)
            case .beginPlaying(let id): box(of: id)?.pointer.pointee.waitsForCue = false
            case .mute(let id, let isMuted):
                box(of: id)?.pointer.pointee.isMuted = isMuted
            case .conference(let id, let number): box(of: id)?.pointer.pointee.enter(conference: number)
            case .digit(let id, let step):
                if let box = box(of: id), !box.pointer.pointee.digits.append(step), case .digit(let digit) = step {
                    report(.digitRefused(call: id, digit))
                }
            case .tone(let tone, let generator): setTone(tone, generator)
            case .attach(let reference): attach(reference, at: now)
            case .detach: detach()
            case .quit:
                for slot in calls.indices {
                    if let id = calls[slot]?.pointer.pointee.id { stop(id, at: now) }
                }
                detach()
                isQuitting = true
            }
        }
    }

    private mutating func setTone(_ tone: LocalTone, _ generator: ToneGenerator?) {
        if let generator {
            tones[tone.rawValue] = generator
        } else {
            tones[tone.rawValue]?.stop()
        }
    }

    private func slot(of id: UInt32) -> Int? {
        for slot in calls.indices where calls[slot]?.pointer.pointee.id == id { return slot }
        return nil
    }

    private func box(of id: UInt32) -> CallBox? { slot(of: id).flatMap { calls[$0] } }

    private mutating func add(_ box: CallBox) {
        for slot in calls.indices where calls[slot] == nil {
            let ports = box.pointer.pointee.ports
            let token = Token.firstCall + UInt64(2 * slot)
            _ = cs_epoll_add(epoll, ports.rtpDescriptor, token)
            _ = cs_epoll_add(epoll, ports.rtcpDescriptor, token + 1)
            calls[slot] = box
            callCount += 1
            link?.wantsCapture.store(true, ordering: .releasing)
            link?.toDevice.signal()
            return
        }
        // The engine counts its calls and never sends one too many; it would see this one end at once.
        report(.retired(box))
    }

    /// Says BYE in RTCP, and gives the call back.
    private mutating func stop(_ id: UInt32, at now: Instant) {
        guard let slot = slot(of: id), let box = calls[slot] else { return }
        box.pointer.pointee.session.stop(at: now)
        send(box.pointer)
        // The last word is said, however long the network would take for it.
        transmit(box.pointer, by: .distantFuture)
        _ = cs_epoll_remove(epoll, box.pointer.pointee.ports.rtpDescriptor)
        _ = cs_epoll_remove(epoll, box.pointer.pointee.ports.rtcpDescriptor)
        calls[slot] = nil
        callCount -= 1
        if callCount == 0 { link?.wantsCapture.store(false, ordering: .releasing) }
        report(.retired(box))
    }

    // MARK: - Network

    func receive(_ call: UnsafeMutablePointer<MediaCall>, isRTCP: Bool, at now: Instant) {
        let descriptor = isRTCP ? call.pointee.ports.rtcpDescriptor : call.pointee.ports.rtpDescriptor
        if cs_datagram_drain_errors(descriptor) > 0 { call.pointee.session.destinationUnreachable(at: now) }
        let count = Int(cs_datagram_receive(descriptor, batch))
        guard count > 0, let items = cs_datagram_batch_items(batch) else { return }
        for index in 0..<count {
            let item = items[index]
            // What does not fit is longer than any packet that we negotiate.
            guard item.is_truncated == 0 else { continue }
            let bytes = UnsafeBufferPointer(start: UnsafePointer(item.bytes), count: Int(item.length))
            let arrival = now - .nanoseconds(item.age)
            if let probe, !isRTCP { probe.arrivals.note(bytes.span, at: arrival) }
            let source = SocketAddress(system: item.from)
            if let network = call.pointee.network {
                network.pointee.receive(bytes.span, from: source, isRTCP: isRTCP, at: arrival)
            } else {
                call.pointee.session.receivePacket(bytes.span, from: source, isRTCP: isRTCP, at: arrival)
            }
        }
    }

    /// Takes in what has passed the bad network by now.
    private func receiveDelayed(_ call: UnsafeMutablePointer<MediaCall>, by now: Instant) {
        guard let network = call.pointee.network else { return }
        while network.pointee.takeInward(
            by: now,
            { bytes, source, isRTCP, due in
                call.pointee.session.receivePacket(bytes, from: source, isRTCP: isRTCP, at: due)
            })
        {}
    }

    /// Deadlines, digits, packets and events of one call.
    mutating func serveCall(_ slot: Int, at now: Instant) {
        guard let call = calls[slot]?.pointer else { return }
        receiveDelayed(call, by: now)
        if let deadline = call.pointee.session.deadline, deadline <= now {
            call.pointee.session.handleDeadline(at: now)
        }
        let hasHeardPeer = call.pointee.hasHeardPeer
        if let digit = call.pointee.advanceDigits(hasHeardPeer: hasHeardPeer, at: now) {
            report(.digitRefused(call: call.pointee.id, digit))
        }
        send(call)
        while let event = call.pointee.session.nextEvent() {
            call.pointee.note(event)
            report(.media(call: call.pointee.id, event))
        }
    }

    func send(_ call: UnsafeMutablePointer<MediaCall>) {
        let probe = probe
        while call.pointee.session.nextPacket({ bytes, destination, isRTCP in
            if let probe, !isRTCP { probe.departures.note(bytes, at: MonotonicClock.now) }
            if let network = call.pointee.network {
                network.pointee.send(bytes, to: destination, isRTCP: isRTCP, at: MonotonicClock.now)
            } else {
                transmit(bytes, from: call, to: destination, isRTCP: isRTCP)
            }
        }) {}
        transmit(call, by: MonotonicClock.now)
    }

    /// Sends what has passed the bad network by then.
    private func transmit(_ call: UnsafeMutablePointer<MediaCall>, by instant: Instant) {
        guard let network = call.pointee.network else { return }
        while network.pointee.takeOutward(
            by: instant,
            { bytes, destination, isRTCP, _ in transmit(bytes, from: call, to: destination, isRTCP: isRTCP) })
        {}
    }

    private func transmit(
        _ bytes: Span<UInt8>, from call: UnsafeMutablePointer<MediaCall>, to destination: SocketAddress, isRTCP: Bool
    ) {
        let descriptor = isRTCP ? call.pointee.ports.rtcpDescriptor : call.pointee.ports.rtpDescriptor
        var address = destination.system
        // A packet that the system has no room for is lost, as it might be anywhere behind.
        _ = bytes.withUnsafeBytes { cs_datagram_send(descriptor, &address, $0.baseAddress, $0.count) }
    }
}

extension MediaCall {
    mutating func advanceDigits(hasHeardPeer: Bool, at now: Instant) -> DTMFDigit? {
        digits.advance(&session, hasHeardPeer: hasHeardPeer, at: now)
    }
}
