/* Sends requests of strangers to a user agent on the loopback, many at once, and counts what comes back:
 *
 *     flood METHOD PORT PER_SECOND SECONDS SOURCES
 *
 * METHOD is OPTIONS or INVITE. The sources are 127.1.0.1 and those behind it. Bounded in time and number, and to
 * 127.0.0.0/8, so that it can't reach another machine. One JSON line at the end. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, SIZE = 1200, MOST_PER_SECOND = 100000, MOST_SECONDS = 60, MOST_SOURCES = 65536 };

struct control {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static struct mmsghdr messages[BATCH];
static struct iovec vectors[BATCH];
static struct control controls[BATCH];
static char texts[BATCH][SIZE];
static struct sockaddr_in target;

static long long answers[7];
static long long answered_bytes;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long long number(const char *text, long long least, long long most)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    if (*end || end == text || value < least || value > most) {
        fprintf(stderr, "flood: %s: not from %lld to %lld\n", text, least, most);
        exit(64);
    }
    return value;
}

static int make_request(char *text, const char *method, int port, int own_port, const char *source, long long index)
{
    static const char body[] =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8\r\n";
    int is_invite = !strcmp(method, "INVITE");
    return snprintf(text, SIZE,
                    "%s sip:offhook@127.0.0.1:%d SIP/2.0\r\n"
                    "Via: SIP/2.0/UDP %s:%d;branch=z9hG4bK-flood-%lld;rport\r\n"
                    "Max-Forwards: 70\r\n"
                    "From: <sip:stranger@%s:%d>;tag=f%lld\r\n"
                    "To: <sip:offhook@127.0.0.1:%d>\r\n"
                    "Call-ID: flood-%lld@%s\r\n"
                    "CSeq: 1 %s\r\n"
                    "Contact: <sip:stranger@%s:%d>\r\n"
                    "%s"
                    "Content-Length: %zu\r\n\r\n%s",
                    method, port, source, own_port, index, source, own_port, index, port, index, source, method,
                    source, own_port, is_invite ? "Content-Type: application/sdp\r\n" : "Accept: application/sdp\r\n",
                    is_invite ? sizeof body - 1 : 0, is_invite ? body : "");
}

static void prepare(int slot, const char *method, int port, int own_port, long long index, long long sources)
{
    struct in_addr address = {.s_addr = htonl(0x7f010001u + (unsigned)(index % sources))};
    char name[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &address, name, sizeof name);
    vectors[slot].iov_base = texts[slot];
    vectors[slot].iov_len = (size_t)make_request(texts[slot], method, port, own_port, name, index);

    struct msghdr *header = &messages[slot].msg_hdr;
    *header = (struct msghdr){.msg_name = &target,
                              .msg_namelen = sizeof target,
                              .msg_iov = &vectors[slot],
                              .msg_iovlen = 1,
                              .msg_control = controls[slot].bytes,
                              .msg_controllen = sizeof controls[slot].bytes};
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    struct in_pktinfo info = {.ipi_spec_dst = address};
    memcpy(CMSG_DATA(control), &info, sizeof info);
}

/* Takes what has come back, and counts it by the class of the status. */
static void take_answers(int descriptor)
{
    static char buffers[BATCH][SIZE];
    static struct iovec parts[BATCH];
    static struct mmsghdr received[BATCH];
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){buffers[i], SIZE};
        received[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int count;
    while ((count = recvmmsg(descriptor, received, BATCH, MSG_DONTWAIT, NULL)) > 0) {
        for (int i = 0; i < count; i++) {
            answered_bytes += received[i].msg_len;
            int class = received[i].msg_len > 12 && !memcmp(buffers[i], "SIP/2.0 ", 8) ? buffers[i][8] - '0' : 0;
            answers[class >= 1 && class <= 6 ? class : 0]++;
        }
    }
}

int main(int count, char **arguments)
{
    if (count != 6 || (strcmp(arguments[1], "OPTIONS") && strcmp(arguments[1], "INVITE"))) {
        fputs("usage: flood OPTIONS|INVITE PORT PER_SECOND SECONDS SOURCES\n", stderr);
        return 64;
    }
    int port = (int)number(arguments[2], 1, 65535);
    long long rate = number(arguments[3], 1, MOST_PER_SECOND);
    long long seconds = number(arguments[4], 1, MOST_SECONDS);
    long long sources = number(arguments[5], 1, MOST_SOURCES);

    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) fail("socket");
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t length = sizeof own;
    if (bind(descriptor, (struct sockaddr *)&own, sizeof own)) fail("bind");
    if (getsockname(descriptor, (struct sockaddr *)&own, &length)) fail("getsockname");
    target = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};

    double start = now();
    long long sent = 0, due = 0, total = rate * seconds;
    while (sent < total && now() - start < (double)seconds * 2) {
        due = (long long)((now() - start) * (double)rate);
        if (due > total) due = total;
        while (sent < due) {
            int batch = due - sent > BATCH ? BATCH : (int)(due - sent);
            for (int i = 0; i < batch; i++)
                prepare(i, arguments[1], port, ntohs(own.sin_port), sent + i, sources);
            int done = sendmmsg(descriptor, messages, (unsigned)batch, 0);
            if (done < 0 && errno != ECONNREFUSED) fail("sendmmsg");
            if (done > 0) sent += done;
        }
        take_answers(descriptor);
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    }
    double elapsed = now() - start;
    for (int i = 0; i < 20; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        take_answers(descriptor);
    }
    printf("{\"name\":\"flood\",\"method\":\"%s\",\"sources\":%lld,\"sent\":%lld,\"per_second\":%.0f,"
           "\"answered\":{\"1xx\":%lld,\"2xx\":%lld,\"4xx\":%lld,\"5xx\":%lld,\"other\":%lld},\"answer_bytes\":%lld}\n",
           arguments[1], sources, sent, (double)sent / elapsed, answers[1], answers[2], answers[4], answers[5],
           answers[0] + answers[3] + answers[6], answered_bytes);
    return 0;
}
