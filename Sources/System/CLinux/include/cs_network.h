/// What tells that this machine is somewhere else than before: news of its interfaces, and the end of a sleep.
/// Every function gives a result at or above zero, or a negated errno.
#pragma once

#include <stdint.h>

/// A non-blocking descriptor that is readable once an interface, an address or a route came, went or changed.
int cs_network_open(void);

/// A non-blocking descriptor that is readable once the wall clock was set, which the end of a sleep does too.
int cs_clock_watch_open(void);

/// Takes what either of the two has to say: 1 where there was anything, else 0. A clock watch is armed anew.
int cs_network_drain(int descriptor);
int cs_clock_watch_drain(int descriptor);

/// How long this machine has slept since it was started, in nanoseconds: CLOCK_BOOTTIME less CLOCK_MONOTONIC.
int64_t cs_time_asleep(void);
