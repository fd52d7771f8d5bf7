#define _GNU_SOURCE
#include "cs_outbox.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { control_size = 64 };

struct cs_outbox {
    int limit;
    int count;
    size_t room;
    size_t filled;
    struct mmsghdr *headers;
    struct iovec *vectors;
    struct sockaddr_storage *names;
    uint8_t *controls;
    uint8_t *bytes;
};

cs_outbox *cs_outbox_create(int count, size_t room) {
    cs_outbox *outbox = calloc(1, sizeof *outbox);
    if (!outbox) return NULL;
    outbox->limit = count;
    outbox->room = room;
    outbox->headers = calloc(count, sizeof *outbox->headers);
    outbox->vectors = calloc(count, sizeof *outbox->vectors);
    outbox->names = calloc(count, sizeof *outbox->names);
    outbox->controls = calloc(count, control_size);
    outbox->bytes = malloc(room);
    if (!outbox->headers || !outbox->vectors || !outbox->names || !outbox->controls || !outbox->bytes) {
        cs_outbox_destroy(outbox);
        return NULL;
    }
    return outbox;
}

void cs_outbox_destroy(cs_outbox *outbox) {
    if (!outbox) return;
    free(outbox->headers);
    free(outbox->vectors);
    free(outbox->names);
    free(outbox->controls);
    free(outbox->bytes);
    free(outbox);
}

int cs_outbox_add(
    cs_outbox *outbox, const void *name, size_t name_length, const void *bytes, size_t length, const void *control,
    size_t control_length) {
    int index = outbox->count;
    if (index >= outbox->limit || length > outbox->room - outbox->filled || control_length > control_size ||
        name_length > sizeof *outbox->names)
        return 0;
    struct iovec *vector = &outbox->vectors[index];
    vector->iov_base = outbox->bytes + outbox->filled;
    vector->iov_len = length;
    if (length) memcpy(vector->iov_base, bytes, length);
    outbox->filled += length;
    memcpy(&outbox->names[index], name, name_length);
    struct msghdr *header = &outbox->headers[index].msg_hdr;
    memset(header, 0, sizeof *header);
    header->msg_name = &outbox->names[index];
    header->msg_namelen = (socklen_t)name_length;
    header->msg_iov = vector;
    header->msg_iovlen = 1;
    if (control_length) {
        header->msg_control = outbox->controls + (size_t)index * control_size;
        header->msg_controllen = control_length;
        memcpy(header->msg_control, control, control_length);
    }
    outbox->count = index + 1;
    return outbox->count;
}

int cs_outbox_send(cs_outbox *outbox, int index, int descriptor) {
    if (index >= outbox->count) return 0;
    for (;;) {
        int sent = sendmmsg(descriptor, outbox->headers + index, (unsigned)(outbox->count - index), MSG_NOSIGNAL);
        if (sent >= 0) return sent;
        if (errno != EINTR) return -errno;
    }
}

void cs_outbox_clear(cs_outbox *outbox) {
    outbox->count = 0;
    outbox->filled = 0;
}
