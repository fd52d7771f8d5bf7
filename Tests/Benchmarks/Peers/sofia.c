/* What sofia-sip takes for the workloads of `Benchmarks`: parse FILE, write FILE, sdp FILE.
 * The same measure: the median over 25 rounds of the nanoseconds of processor time of one call. */
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sdp.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 25, ITERATIONS = 2000, LARGEST = 65536 };

static char text[LARGEST + 1];
static size_t length;

static long long processor_nanoseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int ascending(const void *left, const void *right)
{
    long long a = *(const long long *)left, b = *(const long long *)right;
    return (a > b) - (a < b);
}

/* Start line and every header field, into sofia's structures, and their release. */
static void parse(void)
{
    msg_t *message = msg_make(sip_default_mclass(), 0, text, (ssize_t)length);
    if (!message || !sip_object(message)->sip_cseq) {
        fputs("not a SIP message\n", stderr);
        exit(1);
    }
    msg_destroy(message);
}

static msg_t *parsed;

/* The parsed message back to bytes. */
static void write_back(void)
{
    su_home_t home[1] = {SU_HOME_INIT(home)};
    size_t size = 0;
    char *bytes = msg_as_string(home, parsed, NULL, 0, &size);
    if (!bytes || size == 0) {
        fputs("can't be written\n", stderr);
        exit(1);
    }
    su_home_deinit(home);
}

static void parse_description(void)
{
    sdp_parser_t *parser = sdp_parse(NULL, text, (issize_t)length, 0);
    if (!sdp_session(parser)) {
        fputs("not a session description\n", stderr);
        exit(1);
    }
    sdp_parser_free(parser);
}

int main(int count, char **arguments)
{
    void (*workload)(void) = NULL;
    if (count == 3) {
        if (!strcmp(arguments[1], "parse")) workload = parse;
        if (!strcmp(arguments[1], "write")) workload = write_back;
        if (!strcmp(arguments[1], "sdp")) workload = parse_description;
    }
    FILE *file = workload ? fopen(arguments[2], "rb") : NULL;
    if (!file) {
        fputs("usage: sofia parse|write|sdp FILE\n", stderr);
        return 64;
    }
    length = fread(text, 1, LARGEST, file);
    fclose(file);
    if (workload == write_back) {
        parsed = msg_make(sip_default_mclass(), 0, text, (ssize_t)length);
        if (!parsed) return 1;
    }

    long long results[ROUNDS];
    for (int i = 0; i < ITERATIONS; i++) workload();
    for (int round = 0; round < ROUNDS; round++) {
        long long start = processor_nanoseconds();
        for (int i = 0; i < ITERATIONS; i++) workload();
        results[round] = (processor_nanoseconds() - start) / ITERATIONS;
    }
    qsort(results, ROUNDS, sizeof *results, ascending);
    const char *name = strrchr(arguments[2], '/');
    printf("{\"name\":\"%s\",\"peer\":\"sofia-sip\",\"file\":\"%s\",\"bytes\":%zu,\"ns\":%lld}\n", arguments[1],
           name ? name + 1 : arguments[2], length, results[ROUNDS / 2]);
    return 0;
}
