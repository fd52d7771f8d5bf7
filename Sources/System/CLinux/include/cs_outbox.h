/// Datagrams that leave one socket with one call of the system.
#pragma once

#include <stddef.h>

typedef struct cs_outbox cs_outbox;

/// Room for so many datagrams, and so many octets in all; NULL where there is no memory.
cs_outbox *cs_outbox_create(int count, size_t room);
void cs_outbox_destroy(cs_outbox *outbox);

/// Copies a datagram behind those that are there: its destination as a sockaddr, and control messages of at most 64
/// octets. How many there are then, or 0 where there is no room for it.
int cs_outbox_add(
    cs_outbox *outbox, const void *name, size_t name_length, const void *bytes, size_t length, const void *control,
    size_t control_length);

/// Sends those from `index` on: how many left, or the negated errno of the first.
int cs_outbox_send(cs_outbox *outbox, int index, int descriptor);

void cs_outbox_clear(cs_outbox *outbox);
