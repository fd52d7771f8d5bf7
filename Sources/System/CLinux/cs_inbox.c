#define _GNU_SOURCE
#include "cs_inbox.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { control_size = 128 };

struct cs_inbox {
    int limit;
    size_t size;
    struct mmsghdr *headers;
    struct iovec *vectors;
    uint8_t *controls;
    uint8_t *bytes;
    cs_letter *letters;
};

cs_inbox *cs_inbox_create(int count, size_t size) {
    cs_inbox *inbox = calloc(1, sizeof *inbox);
    if (!inbox) return NULL;
    inbox->limit = count;
    inbox->size = size;
    inbox->headers = calloc(count, sizeof *inbox->headers);
    inbox->vectors = calloc(count, sizeof *inbox->vectors);
    inbox->controls = calloc(count, control_size);
    // Of this only what datagrams fill is ever touched.
    inbox->bytes = malloc(count * size);
    inbox->letters = calloc(count, sizeof *inbox->letters);
    if (!inbox->headers || !inbox->vectors || !inbox->controls || !inbox->bytes || !inbox->letters) {
        cs_inbox_destroy(inbox);
        return NULL;
    }
    return inbox;
}

void cs_inbox_destroy(cs_inbox *inbox) {
    if (!inbox) return;
    free(inbox->headers);
    free(inbox->vectors);
    free(inbox->controls);
    free(inbox->bytes);
    free(inbox->letters);
    free(inbox);
}

int cs_inbox_ask_for_local(int descriptor, int is_v6) {
    int on = 1;
    int result = is_v6 ? setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on)
                       : setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    return result < 0 ? -errno : 0;
}

static void read_local(struct msghdr *header, struct sockaddr_storage *local) {
    local->ss_family = AF_UNSPEC;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            struct sockaddr_in *v4 = (struct sockaddr_in *)local;
            memset(v4, 0, sizeof *v4);
            v4->sin_family = AF_INET;
            v4->sin_addr = info.ipi_addr;
        } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)local;
            memset(v6, 0, sizeof *v6);
            v6->sin6_family = AF_INET6;
            v6->sin6_addr = info.ipi6_addr;
        }
    }
}

int cs_inbox_receive(cs_inbox *inbox, int descriptor) {
    for (int index = 0; index < inbox->limit; index++) {
        struct msghdr *header = &inbox->headers[index].msg_hdr;
        inbox->vectors[index] = (struct iovec){inbox->bytes + (size_t)index * inbox->size, inbox->size};
        header->msg_name = &inbox->letters[index].remote;
        header->msg_namelen = sizeof inbox->letters[index].remote;
        header->msg_iov = &inbox->vectors[index];
        header->msg_iovlen = 1;
        header->msg_control = inbox->controls + (size_t)index * control_size;
        header->msg_controllen = control_size;
        header->msg_flags = 0;
    }
    int count = recvmmsg(descriptor, inbox->headers, (unsigned)inbox->limit, MSG_DONTWAIT, NULL);
    if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    for (int index = 0; index < count; index++) {
        cs_letter *letter = &inbox->letters[index];
        letter->bytes = inbox->bytes + (size_t)index * inbox->size;
        letter->length = inbox->headers[index].msg_len;
        read_local(&inbox->headers[index].msg_hdr, &letter->local);
    }
    return count;
}

const cs_letter *cs_inbox_letters(const cs_inbox *inbox) { return inbox->letters; }
