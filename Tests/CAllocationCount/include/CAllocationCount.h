/// Counts what the threads of a program allocate. A program that links this has its `malloc` counted: the functions
/// of the C library are replaced by ones that count and call them.
#pragma once

#include <stdint.h>

typedef struct {
    uint64_t allocations;
    uint64_t frees;
} allocation_counts;

/// Counts from zero, on threads whose name begins with `prefix` ("": on all).
void allocation_count_start(const char *prefix);

/// Stops counting.
allocation_counts allocation_count_stop(void);

typedef struct {
    uint64_t allocated;
    uint64_t kept;
} heap_octets;

/// How many octets the allocator gave out, and how many it keeps for later.
heap_octets heap_octets_now(void);
