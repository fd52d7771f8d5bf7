#pragma once

#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/time.h>

/// Milliseconds until the channel wants to be looked after, at most `most`; -1 where nothing is under way.
static inline int cares_wait(ares_channel channel, int most) {
    struct timeval limit = { most / 1000, (most % 1000) * 1000 };
    struct timeval room;
    struct timeval *wait = ares_timeout(channel, &limit, &room);
    if (!wait) return -1;
    /* Rounded up, so that it is due when we look. */
    long milliseconds = wait->tv_sec * 1000L + (wait->tv_usec + 999) / 1000;
    return milliseconds > most ? most : (int)milliseconds;
}
