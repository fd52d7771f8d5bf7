/* A user agent without media on PJSIP, as `Benchmarks answer` is one of ours: answers every call on UDP at once by 200,
   and says each second how many calls began, the processor time of a call so far and the memory.
   `pjsip PORT SECONDS`, on one thread, which is PJSIP's way.

   PJSIP is not in Debian; the package pjsua2-python of PyPI (2.15.1) has all of it in one library, without its header
   files, so what is used of it is declared here. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct { char *ptr; long slen; } pj_str_t;
typedef struct { long sec, msec; } pj_time_val;
struct pjsip_module {
    void *prev, *next;
    pj_str_t name;
    int id, priority;
    void *load, *start, *stop, *unload;
    int (*on_rx_request)(void *request);
    void *on_rx_response, *on_tx_request, *on_tx_response, *on_tsx_state;
    void *reserved[8];
};
enum { APPLICATION_PRIORITY = 64 };

extern char pj_pool_factory_default_policy[];
int pj_init(void);
int pjlib_util_init(void);
void pj_log_set_level(int level);
void pj_caching_pool_init(void *pool, const void *policy, size_t limit);
void *pj_pool_create(void *factory, const char *name, size_t first, size_t more, void *callback);
int pjsip_endpt_create(void *factory, const char *name, void **endpoint);
int pjsip_udp_transport_start(void *endpoint, const void *address, const void *published, unsigned count, void **transport);
int pjsip_tsx_layer_init_module(void *endpoint);
int pjsip_ua_init_module(void *endpoint, const void *parameters);
int pjsip_100rel_init_module(void *endpoint);
int pjsip_inv_usage_init(void *endpoint, const void *callbacks);
int pjsip_endpt_register_module(void *endpoint, struct pjsip_module *module);
int pjsip_endpt_handle_events(void *endpoint, const pj_time_val *longest);
void *pjsip_rdata_get_dlg(void *request);
void *pjsip_ua_instance(void);
int pjsip_dlg_create_uas_and_inc_lock(void *agent, void *request, const pj_str_t *contact, void **dialog);
void pjsip_dlg_dec_lock(void *dialog);
int pjsip_inv_create_uas(void *dialog, void *request, const void *sdp, unsigned options, void **session);
int pjsip_inv_initial_answer(
    void *session, void *request, int status, const pj_str_t *reason, const void *sdp, void **response);
int pjsip_inv_send_msg(void *session, void *response);
int pjmedia_sdp_parse(void *pool, char *text, size_t length, void **sdp);
extern unsigned pjsip_sip_cfg_var[];

static void *sdp;
static pj_str_t contact;
static long began, failed;

static void must(int status, const char *what) {
    if (status == 0) return;
    fprintf(stderr, "%s: %d\n", what, status);
    exit(1);
}

static int take(void *request) {
    void *dialog, *session, *response;
    /* What belongs to a dialog is for the layers below. */
    if (pjsip_rdata_get_dlg(request)) return 0;
    began++;
    if (pjsip_dlg_create_uas_and_inc_lock(pjsip_ua_instance(), request, &contact, &dialog) != 0) {
        failed++;
        return 1;
    }
    if (pjsip_inv_create_uas(dialog, request, sdp, 0, &session) != 0
        || pjsip_inv_initial_answer(session, request, 200, NULL, NULL, &response) != 0
        || pjsip_inv_send_msg(session, response) != 0)
        failed++;
    pjsip_dlg_dec_lock(dialog);
    return 1;
}

/* Both callbacks that a session must have. */
static void ignore(void *session, void *event) {}

/* Room for as many transactions as we keep: the count stands before T1, T2, T4 and TD. */
static void allow_transactions(unsigned count) {
    unsigned *settings = pjsip_sip_cfg_var;
    for (int i = 1; i < 64; i++)
        if (settings[i] == 500 && settings[i + 1] == 4000 && settings[i + 2] == 5000 && settings[i + 3] == 32000) {
            settings[i - 1] = count;
            return;
        }
    must(1, "the number of transactions is not where it was");
}

static long processor_microseconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static long anonymous_kilobytes(void) {
    char line[256];
    long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "RssAnon: %ld", &kilobytes);
    if (file) fclose(file);
    return kilobytes;
}

int main(int count, char **arguments) {
    static long pools[8192], callbacks[64];
    static struct pjsip_module module = {.name = {"answer", 6}, .id = -1, .priority = APPLICATION_PRIORITY, .on_rx_request = take};
    static char text[] =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 16384 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n";
    static char address_text[64];
    void *endpoint, *transport;
    if (count < 3) must(1, "usage: pjsip PORT SECONDS");
    int port = atoi(arguments[1]), seconds = atoi(arguments[2]);

    must(pj_init(), "pj_init");
    pj_log_set_level(0);
    must(pjlib_util_init(), "pjlib_util_init");
    allow_transactions(262143);
    pj_caching_pool_init(pools, pj_pool_factory_default_policy, 4096 * 1024);
    void *pool = pj_pool_create(pools, "answer", 4000, 4000, NULL);
    must(pjsip_endpt_create(pools, "answer", &endpoint), "endpoint");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    must(pjsip_udp_transport_start(endpoint, &address, NULL, 1, &transport), "transport");
    contact.ptr = address_text;
    contact.slen = snprintf(address_text, sizeof address_text, "<sip:answer@127.0.0.1:%d>", port);
    must(pjsip_tsx_layer_init_module(endpoint), "transactions");
    must(pjsip_ua_init_module(endpoint, NULL), "user agent");
    must(pjsip_100rel_init_module(endpoint), "100rel");
    callbacks[0] = callbacks[1] = (long)ignore;
    must(pjsip_inv_usage_init(endpoint, callbacks), "sessions");
    must(pjsip_endpt_register_module(endpoint, &module), "module");
    must(pjmedia_sdp_parse(pool, text, strlen(text), &sdp), "description");

    long start = processor_microseconds();
    time_t first = time(NULL);
    for (time_t now = first, then = first; now < first + seconds; now = time(NULL)) {
        pj_time_val longest = {0, 10};
        pjsip_endpt_handle_events(endpoint, &longest);
        if (now == then) continue;
        then = now;
        long spent = processor_microseconds() - start;
        printf(
            "{\"name\":\"pjsip\",\"second\":%ld,\"began\":%ld,\"failed\":%ld,\"processor_us\":%ld,\"us_per_call\":%ld,"
            "\"anonymous_kb\":%ld}\n",
            (long)(now - first), began, failed, spent, spent / (began ? began : 1), anonymous_kilobytes());
        fflush(stdout);
    }
    return 0;
}
