#define _GNU_SOURCE
#include "CAllocationCount.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static char watched_prefix[16];
static int is_counting;
static uint64_t allocations, frees;

static void count(uint64_t *counter) {
    if (!__atomic_load_n(&is_counting, __ATOMIC_ACQUIRE)) return;
    char name[16] = "";
    if (watched_prefix[0]) {
        prctl(PR_GET_NAME, name);
        if (strncmp(name, watched_prefix, strlen(watched_prefix)) != 0) return;
    }
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

void allocation_count_start(const char *prefix) {
    __atomic_store_n(&is_counting, 0, __ATOMIC_RELEASE);
    strncpy(watched_prefix, prefix, sizeof watched_prefix - 1);
    allocations = frees = 0;
    __atomic_store_n(&is_counting, 1, __ATOMIC_RELEASE);
}

allocation_counts allocation_count_stop(void) {
    __atomic_store_n(&is_counting, 0, __ATOMIC_RELEASE);
    return (allocation_counts){
        __atomic_load_n(&allocations, __ATOMIC_RELAXED), __atomic_load_n(&frees, __ATOMIC_RELAXED)};
}

void *malloc(size_t size) {
    count(&allocations);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(&allocations);
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count(&allocations);
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count(&allocations);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

void free(void *memory) {
    if (memory) count(&frees);
    __libc_free(memory);
}

heap_octets heap_octets_now(void) {
    struct mallinfo2 heap = mallinfo2();
    return (heap_octets){heap.uordblks + heap.hblkhd, heap.fordblks};
}
