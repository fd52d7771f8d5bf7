/* Sends requests of strangers to a user agent on the loopback, many at once, and counts what comes back:
 *
 *     flood METHOD PORT PER_SECOND SECONDS SOURCES [call]
 *
 * METHOD is OPTIONS or INVITE. The sources are 127.1.0.1 and those behind it. Bounded in time and number, and to
 * 127.0.0.0/8, so that it can't reach another machine. One JSON line at the end.
 *
 * With `call` it first calls the user agent from 127.0.0.1, sends it RTP, and hangs up behind the flood: the line then
 * tells how many packets of the user agent came, how many are missing between them, and the longest time between two,
 * by the clock of the kernel that took them in. */
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

/* The call that is held while strangers flood. */
static struct {
    int signalling, media;
    struct sockaddr_in peer_media;
    char to_tag[64];
    double sent_at;
    long long received, missing;
    int last_sequence;
    double last_arrival, longest_gap;
} call = {.signalling = -1, .media = -1, .last_sequence = -1};

static int bound_socket(struct sockaddr_in *own)
{
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t length = sizeof *own;
    *own = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)own, sizeof *own)) fail("call");
    if (getsockname(descriptor, (struct sockaddr *)own, &length)) fail("getsockname");
    return descriptor;
}

static void send_in_call(const char *method, int sequence, int port, const char *body)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    if (getsockname(call.signalling, (struct sockaddr *)&own, &length)) fail("getsockname");
    char text[SIZE];
    int own_port = ntohs(own.sin_port);
    int size = snprintf(text, SIZE,
                        "%s sip:offhook@127.0.0.1:%d SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK-held-%s-%d;rport\r\n"
                        "Max-Forwards: 70\r\nFrom: <sip:caller@127.0.0.1:%d>;tag=held\r\n"
                        "To: <sip:offhook@127.0.0.1:%d>%s%s\r\nCall-ID: held-%d@127.0.0.1\r\nCSeq: %d %s\r\n"
                        "Contact: <sip:caller@127.0.0.1:%d>\r\n%sContent-Length: %zu\r\n\r\n%s",
                        method, port, own_port, method, sequence, own_port, port, *call.to_tag ? ";tag=" : "",
                        call.to_tag, own_port, sequence, method, own_port,
                        *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
    if (sendto(call.signalling, text, (size_t)size, 0, (struct sockaddr *)&target, sizeof target) < 0) fail("sendto");
}

/* Waits for the 200 to `method`; nothing else of the answer counts but the To tag and the port of its media. */
static int await_success(const char *method, int sequence, int port, const char *body)
{
    double deadline = now() + 8, again = 0;
    char text[4096];
    while (now() < deadline) {
        if (now() >= again) {
            send_in_call(method, sequence, port, body);
            again = now() + 0.5;
        }
        ssize_t size = recv(call.signalling, text, sizeof text - 1, 0);
        if (size < 0) {
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
            continue;
        }
        text[size] = 0;
        if (strncmp(text, "SIP/2.0 200", 11) || !strstr(text, method)) continue;
        char *to = strstr(text, "\r\nTo:"), *tag = to ? strstr(to, ";tag=") : NULL, *media = strstr(text, "m=audio ");
        if (tag) sscanf(tag + 5, "%63[^;\r\n]", call.to_tag);
        if (media) call.peer_media.sin_port = htons((uint16_t)atoi(media + 8));
        return 1;
    }
    return 0;
}

static void begin_call(int port)
{
    struct sockaddr_in own;
    call.signalling = bound_socket(&own);
    call.media = bound_socket(&own);
    int on = 1;
    setsockopt(call.media, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    call.peer_media = own;
    char body[256];
    snprintf(body, sizeof body,
             "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\n",
             ntohs(own.sin_port));
    if (!await_success("INVITE", 1, port, body)) fail("the call was not answered");
    send_in_call("ACK", 1, port, "");
}

static void send_media(void)
{
    static unsigned char packet[172] = {0x80};
    static uint16_t sequence;
    while (now() >= call.sent_at) {
        call.sent_at = call.sent_at > 0 ? call.sent_at + 0.02 : now() + 0.02;
        sequence++;
        uint32_t timestamp = htonl(sequence * 160u);
        packet[2] = (unsigned char)(sequence >> 8);
        packet[3] = (unsigned char)sequence;
        memcpy(packet + 4, &timestamp, 4);
        packet[8] = 0x0f;
        memset(packet + 12, 0xff, 160);
        sendto(call.media, packet, sizeof packet, 0, (struct sockaddr *)&call.peer_media, sizeof call.peer_media);
    }
}

static void take_media(void)
{
    unsigned char packet[2048];
    struct iovec vector = {packet, sizeof packet};
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct timespec))];
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = bytes, .msg_controllen = sizeof bytes};
    ssize_t size;
    while ((size = recvmsg(call.media, &header, 0)) > 0) {
        struct cmsghdr *control = CMSG_FIRSTHDR(&header);
        struct timespec time;
        if (control && size > 12 && (packet[1] & 0x7f) == 0) {
            memcpy(&time, CMSG_DATA(control), sizeof time);
            double arrival = time.tv_sec + time.tv_nsec / 1e9;
            int sequence = packet[2] << 8 | packet[3];
            if (call.received++) {
                if (arrival - call.last_arrival > call.longest_gap) call.longest_gap = arrival - call.last_arrival;
                call.missing += (uint16_t)(sequence - call.last_sequence - 1);
            }
            call.last_arrival = arrival;
            call.last_sequence = sequence;
        }
        header.msg_controllen = sizeof bytes;
    }
}

int main(int count, char **arguments)
{
    int holds_call = count == 7 && !strcmp(arguments[6], "call");
    if ((count != 6 && !holds_call) || (strcmp(arguments[1], "OPTIONS") && strcmp(arguments[1], "INVITE"))) {
        fputs("usage: flood OPTIONS|INVITE PORT PER_SECOND SECONDS SOURCES [call]\n", stderr);
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

    if (holds_call) begin_call(port);
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
        if (holds_call) {
            send_media();
            take_media();
        }
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    }
    double elapsed = now() - start;
    for (int i = 0; i < 20; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        take_answers(descriptor);
    }
    int hung_up = holds_call ? await_success("BYE", 2, port, "") : 0;
    printf("{\"name\":\"flood\",\"method\":\"%s\",\"sources\":%lld,\"sent\":%lld,\"per_second\":%.0f,"
           "\"answered\":{\"1xx\":%lld,\"2xx\":%lld,\"4xx\":%lld,\"5xx\":%lld,\"other\":%lld},\"answer_bytes\":%lld",
           arguments[1], sources, sent, (double)sent / elapsed, answers[1], answers[2], answers[4], answers[5],
           answers[0] + answers[3] + answers[6], answered_bytes);
    if (holds_call)
        printf(",\"call\":{\"packets\":%lld,\"missing\":%lld,\"longest_gap_ms\":%.1f,\"hung_up\":%s}",
               call.received, call.missing, call.longest_gap * 1e3, hung_up ? "true" : "false");
    printf("}\n");
    return 0;
}
