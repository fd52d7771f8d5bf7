#define _GNU_SOURCE
#include "cs_poll.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int result(int value) { return value < 0 ? -errno : value; }

int cs_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

int cs_epoll_add(int epoll, int descriptor, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = token};
    return result(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event));
}

int cs_epoll_remove(int epoll, int descriptor) {
    return result(epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL));
}

int cs_epoll_wait(int epoll, cs_ready *ready, int capacity, int timeout) {
    struct epoll_event events[64];
    if (capacity > 64) capacity = 64;
    int count = epoll_wait(epoll, events, capacity, timeout);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int index = 0; index < count; index++) {
        ready[index].token = events[index].data.u64;
        ready[index].events = events[index].events;
    }
    return count;
}

int cs_event_create(void) { return result(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

int cs_event_signal(int descriptor) {
    uint64_t one = 1;
    // A full counter (EAGAIN) is a signal that has not been drained yet: the waiter wakes all the same.
    if (write(descriptor, &one, sizeof one) < 0 && errno != EAGAIN) return -errno;
    return 0;
}

static int64_t drain(int descriptor) {
    uint64_t count = 0;
    return read(descriptor, &count, sizeof count) == sizeof count ? (int64_t)count : 0;
}

int64_t cs_event_drain(int descriptor) { return drain(descriptor); }

int cs_timer_create(void) { return result(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)); }

int cs_timer_arm(int descriptor, int64_t at) {
    struct itimerspec when = {
        .it_value = {.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000},
    };
    return result(timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &when, NULL));
}

int64_t cs_timer_drain(int descriptor) { return drain(descriptor); }

static int wait_for(int descriptor, short events, int timeout) {
    struct pollfd one = {.fd = descriptor, .events = events};
    int count = poll(&one, 1, timeout);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    return count;
}

int cs_wait_readable(int descriptor, int timeout) { return wait_for(descriptor, POLLIN, timeout); }

int cs_wait_writable(int descriptor, int timeout) { return wait_for(descriptor, POLLOUT, timeout); }

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t cs_monotonic_now(void) { return now(CLOCK_MONOTONIC); }

int64_t cs_wall_clock_now(void) { return now(CLOCK_REALTIME); }
