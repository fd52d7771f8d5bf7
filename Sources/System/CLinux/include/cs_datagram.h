/// Non-blocking UDP sockets for media: batches, kernel timestamps, DSCP.
/// Every function gives a result at or above zero, or a negated errno.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// An address as numbers in host order. IPv4 is in the lowest 32 bits of `low`.
typedef struct {
    uint64_t high;
    uint64_t low;
    uint32_t scope;
    uint16_t port;
    uint8_t is_v6;
} cs_address;

/// A datagram that was received. `age` is the time since the kernel had it, in nanoseconds, or 0 where unknown.
typedef struct {
    cs_address from;
    int64_t age;
    uint8_t *bytes;
    uint32_t length;
    uint8_t is_truncated;
} cs_datagram;

/// Buffers for one call of `cs_datagram_receive`, made once.
typedef struct cs_datagram_batch cs_datagram_batch;

cs_datagram_batch *cs_datagram_batch_create(int count, int size);
void cs_datagram_batch_destroy(cs_datagram_batch *batch);

/// The datagrams of the last receive.
const cs_datagram *cs_datagram_batch_items(const cs_datagram_batch *batch);

/// A bound, non-blocking UDP socket marked Expedited Forwarding (RFC 3246), with receive timestamps.
/// Port 0 lets the kernel choose. `bound` may be NULL.
int cs_datagram_open(const cs_address *local, cs_address *bound);

/// How many datagrams now lie in the batch; 0 where none waits.
int cs_datagram_receive(int descriptor, cs_datagram_batch *batch);

/// Takes the errors that the network reported (ICMP): how many destinations were unreachable since the last call.
int cs_datagram_drain_errors(int descriptor);

int cs_datagram_send(int descriptor, const cs_address *to, const void *bytes, size_t length);

void cs_datagram_close(int descriptor);
