/// Datagrams that one call of the system takes from a socket.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/// A datagram that came. `local` is the address that it was sent to, without a port, where the socket is asked for that;
/// else its family is 0.
typedef struct {
    struct sockaddr_storage remote;
    struct sockaddr_storage local;
    const uint8_t *bytes;
    size_t length;
} cs_letter;

typedef struct cs_inbox cs_inbox;

/// Room for so many datagrams of so many octets; NULL where there is no memory.
cs_inbox *cs_inbox_create(int count, size_t size);
void cs_inbox_destroy(cs_inbox *inbox);

/// Has a socket tell to which address each datagram was sent: 0, or a negated errno.
int cs_inbox_ask_for_local(int descriptor, int is_v6);

/// How many datagrams now lie in the inbox, without waiting for any; or a negated errno.
int cs_inbox_receive(cs_inbox *inbox, int descriptor);

/// The datagrams of the last receive.
const cs_letter *cs_inbox_letters(const cs_inbox *inbox);
