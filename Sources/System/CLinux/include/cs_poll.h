/// epoll, eventfd and timerfd, which Glibc's Swift module lacks.
/// Every function gives a result at or above zero, or a negated errno.
#pragma once

#include <stdint.h>

/// A descriptor that became readable (or failed), by the token under which it was added.
typedef struct {
    uint64_t token;
    uint32_t events;
} cs_ready;

int cs_epoll_create(void);

/// Watches a descriptor for input, level triggered.
int cs_epoll_add(int epoll, int descriptor, uint64_t token);

int cs_epoll_remove(int epoll, int descriptor);

/// Waits for at most `timeout` milliseconds (-1: for ever). An interrupted wait gives 0.
int cs_epoll_wait(int epoll, cs_ready *ready, int capacity, int timeout);

/// A non-blocking counter that wakes whoever waits for it.
int cs_event_create(void);
int cs_event_signal(int descriptor);

/// The count of signals since the last drain; 0 where there was none.
int64_t cs_event_drain(int descriptor);

/// A timer on CLOCK_MONOTONIC, not armed.
int cs_timer_create(void);

/// Arms the timer for an absolute time in nanoseconds, once; 0 disarms it.
int cs_timer_arm(int descriptor, int64_t at);

/// How often the timer has expired since the last drain.
int64_t cs_timer_drain(int descriptor);

/// Waits until one descriptor is readable: 1, or 0 after `timeout` milliseconds.
int cs_wait_readable(int descriptor, int timeout);

/// Waits until one descriptor takes output: 1, or 0 after `timeout` milliseconds.
int cs_wait_writable(int descriptor, int timeout);

/// CLOCK_MONOTONIC in nanoseconds.
int64_t cs_monotonic_now(void);

/// CLOCK_REALTIME in nanoseconds since 1970.
int64_t cs_wall_clock_now(void);
