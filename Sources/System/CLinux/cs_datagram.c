#define _GNU_SOURCE
#include "cs_datagram.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { control_size = 64, expedited_forwarding = 0xb8 };

struct cs_datagram_batch {
    int count;
    int size;
    struct mmsghdr *headers;
    struct iovec *vectors;
    struct sockaddr_storage *addresses;
    uint8_t *controls;
    uint8_t *bytes;
    cs_datagram *items;
};

static socklen_t to_socket_address(const cs_address *address, struct sockaddr_storage *storage) {
    memset(storage, 0, sizeof *storage);
    if (address->is_v6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;
        uint64_t high = htobe64(address->high), low = htobe64(address->low);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(address->port);
        v6->sin6_scope_id = address->scope;
        memcpy(v6->sin6_addr.s6_addr, &high, 8);
        memcpy(v6->sin6_addr.s6_addr + 8, &low, 8);
        return sizeof *v6;
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address->port);
    v4->sin_addr.s_addr = htonl((uint32_t)address->low);
    return sizeof *v4;
}

static void from_socket_address(const struct sockaddr_storage *storage, cs_address *address) {
    memset(address, 0, sizeof *address);
    if (storage->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)storage;
        uint64_t high, low;
        memcpy(&high, v6->sin6_addr.s6_addr, 8);
        memcpy(&low, v6->sin6_addr.s6_addr + 8, 8);
        address->is_v6 = 1;
        address->high = be64toh(high);
        address->low = be64toh(low);
        address->scope = v6->sin6_scope_id;
        address->port = ntohs(v6->sin6_port);
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)storage;
        address->low = ntohl(v4->sin_addr.s_addr);
        address->port = ntohs(v4->sin_port);
    }
}

cs_datagram_batch *cs_datagram_batch_create(int count, int size) {
    cs_datagram_batch *batch = calloc(1, sizeof *batch);
    if (!batch) return NULL;
    batch->count = count;
    batch->size = size;
    batch->headers = calloc(count, sizeof *batch->headers);
    batch->vectors = calloc(count, sizeof *batch->vectors);
    batch->addresses = calloc(count, sizeof *batch->addresses);
    batch->controls = calloc(count, control_size);
    batch->bytes = calloc(count, size);
    batch->items = calloc(count, sizeof *batch->items);
    if (!batch->headers || !batch->vectors || !batch->addresses || !batch->controls || !batch->bytes ||
        !batch->items) {
        cs_datagram_batch_destroy(batch);
        return NULL;
    }
    for (int index = 0; index < count; index++) {
        batch->vectors[index].iov_base = batch->bytes + (size_t)index * size;
        batch->vectors[index].iov_len = size;
        batch->headers[index].msg_hdr.msg_iov = &batch->vectors[index];
        batch->headers[index].msg_hdr.msg_iovlen = 1;
        batch->items[index].bytes = batch->vectors[index].iov_base;
    }
    return batch;
}

void cs_datagram_batch_destroy(cs_datagram_batch *batch) {
    if (!batch) return;
    free(batch->headers);
    free(batch->vectors);
    free(batch->addresses);
    free(batch->controls);
    free(batch->bytes);
    free(batch->items);
    free(batch);
}

const cs_datagram *cs_datagram_batch_items(const cs_datagram_batch *batch) { return batch->items; }

int cs_datagram_open(const cs_address *local, cs_address *bound) {
    int family = local->is_v6 ? AF_INET6 : AF_INET;
    int descriptor = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (descriptor < 0) return -errno;
    int traffic_class = expedited_forwarding, on = 1;
    // Marking and timestamps are wishes: a system that refuses them still carries the call.
    if (local->is_v6) {
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_TCLASS, &traffic_class, sizeof traffic_class);
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    } else {
        setsockopt(descriptor, IPPROTO_IP, IP_TOS, &traffic_class, sizeof traffic_class);
        setsockopt(descriptor, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    }
    setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);

    struct sockaddr_storage storage;
    socklen_t length = to_socket_address(local, &storage);
    if (bind(descriptor, (struct sockaddr *)&storage, length) < 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    if (bound) {
        length = sizeof storage;
        getsockname(descriptor, (struct sockaddr *)&storage, &length);
        from_socket_address(&storage, bound);
    }
    return descriptor;
}

static int64_t nanoseconds(struct timespec time) { return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec; }

/// How long ago the kernel received the datagram. The stamp is on the wall clock, which may be stepped: an age that
/// can't be true is 0.
static int64_t age(struct msghdr *header, int64_t now) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
            int64_t passed = now - nanoseconds(stamp);
            return passed >= 0 && passed < 1000000000 ? passed : 0;
        }
    }
    return 0;
}

int cs_datagram_receive(int descriptor, cs_datagram_batch *batch) {
    for (int index = 0; index < batch->count; index++) {
        struct msghdr *header = &batch->headers[index].msg_hdr;
        header->msg_name = &batch->addresses[index];
        header->msg_namelen = sizeof batch->addresses[index];
        header->msg_control = batch->controls + (size_t)index * control_size;
        header->msg_controllen = control_size;
        header->msg_flags = 0;
    }
    int count = recvmmsg(descriptor, batch->headers, batch->count, MSG_DONTWAIT, NULL);
    if (count < 0) return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : -errno;
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    int64_t now = nanoseconds(time);
    for (int index = 0; index < count; index++) {
        struct msghdr *header = &batch->headers[index].msg_hdr;
        cs_datagram *item = &batch->items[index];
        from_socket_address(&batch->addresses[index], &item->from);
        item->length = batch->headers[index].msg_len;
        item->is_truncated = (header->msg_flags & MSG_TRUNC) != 0;
        item->age = age(header, now);
    }
    return count;
}

int cs_datagram_drain_errors(int descriptor) {
    int count = 0;
    // A flood of errors must not hold the media thread: the rest is taken in the next turn.
    while (count < 16) {
        uint8_t bytes[64], control[512];
        struct sockaddr_storage address;
        struct iovec vector = {bytes, sizeof bytes};
        struct msghdr header = {
            .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &vector, .msg_iovlen = 1,
            .msg_control = control, .msg_controllen = sizeof control,
        };
        if (recvmsg(descriptor, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
        count++;
    }
    return count;
}

int cs_datagram_send(int descriptor, const cs_address *to, const void *bytes, size_t length) {
    struct sockaddr_storage storage;
    socklen_t size = to_socket_address(to, &storage);
    // An error that an earlier packet met is told here, and that packet's fate says nothing about this one.
    for (int attempt = 0; attempt < 2; attempt++) {
        if (sendto(descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&storage, size) >= 0)
            return 0;
        if (errno != ECONNREFUSED && errno != EHOSTUNREACH) break;
    }
    return -errno;
}

void cs_datagram_close(int descriptor) { close(descriptor); }
