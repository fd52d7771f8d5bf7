/// Threads with a real-time schedule.
#pragma once

#include <stddef.h>

/// Starts a detached thread that takes no signal. A `priority` above 0 asks for SCHED_FIFO; where the system refuses
/// it the thread runs with the normal schedule.
/// Gives 1 with, 0 without the real-time schedule, or a negated errno where no thread could be made.
int cs_thread_start(const char *name, int priority, size_t stack, void (*body)(void *), void *context);
