#define _GNU_SOURCE
#include "cs_network.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int cs_network_open(void) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (descriptor < 0) return -errno;
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
    };
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        int code = errno;
        close(descriptor);
        return -code;
    }
    return descriptor;
}

int cs_network_drain(int descriptor) {
    char buffer[8192];
    int any = 0;
    // News that were lost (ENOBUFS) are news too. The messages themselves do not matter: whoever hears of any looks anew.
    for (;;) {
        ssize_t count = recv(descriptor, buffer, sizeof buffer, 0);
        if (count <= 0 && !(count < 0 && (errno == ENOBUFS || errno == EINTR))) return any;
        any = 1;
    }
}

static int arm(int descriptor) {
    // Far away, as it is only there to be cancelled.
    struct itimerspec when = {.it_value = {.tv_sec = INT64_C(1) << 40}};
    int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    return timerfd_settime(descriptor, flags, &when, NULL) < 0 ? -errno : 0;
}

int cs_clock_watch_open(void) {
    int descriptor = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (descriptor < 0) return -errno;
    int code = arm(descriptor);
    if (code < 0) {
        close(descriptor);
        return code;
    }
    return descriptor;
}

int cs_clock_watch_drain(int descriptor) {
    uint64_t count;
    int any = read(descriptor, &count, sizeof count) >= 0 || errno == ECANCELED;
    if (any) arm(descriptor);
    return any;
}

int64_t cs_time_asleep(void) {
    struct timespec boot, monotonic;
    // In this order, so that a moment between the two makes the sleep no longer.
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    return (int64_t)(boot.tv_sec - monotonic.tv_sec) * 1000000000 + (boot.tv_nsec - monotonic.tv_nsec);
}
