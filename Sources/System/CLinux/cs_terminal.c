#define _GNU_SOURCE
#include "cs_terminal_state.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "cs_signals.h"

static struct termios settings;
static int settings_saved;

static uint8_t reset_bytes[512];
static size_t reset_count;
static int reset_descriptor;
static atomic_int armed;

// What standard error was before, and the memory that it goes to meanwhile; -1 while nothing is held back.
static atomic_int true_errors = -1;
static atomic_int held_errors = -1;
static const off_t held_bound = 256 * 1024;

int cs_terminal_save(int descriptor) {
    if (tcgetattr(descriptor, &settings) < 0) return -errno;
    settings_saved = 1;
    return 0;
}

int cs_terminal_restore(int descriptor) {
    if (!settings_saved) return -EINVAL;
    return tcsetattr(descriptor, TCSADRAIN, &settings) < 0 ? -errno : 0;
}

int cs_terminal_keys(int descriptor) {
    struct termios now;
    if (tcgetattr(descriptor, &now) < 0) return -errno;
    now.c_lflag |= ISIG;
    now.c_cc[VINTR] = _POSIX_VDISABLE;
    now.c_cc[VSUSP] = _POSIX_VDISABLE;
    if (settings_saved) now.c_cc[VQUIT] = settings.c_cc[VQUIT];
    return tcsetattr(descriptor, TCSADRAIN, &now) < 0 ? -errno : 0;
}

int cs_terminal_discard(int descriptor) {
    // The flush alone makes room and wakes nobody; that output starts again does.
    if (tcflow(descriptor, TCOOFF) < 0) return -errno;
    int result = tcflush(descriptor, TCOFLUSH) < 0 ? -errno : 0;
    if (tcflow(descriptor, TCOON) < 0) return -errno;
    return result;
}

int cs_terminal_size(int descriptor, int *columns, int *rows) {
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) < 0) return -errno;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 0;
}

int cs_crash_terminal(int descriptor, const uint8_t *bytes, size_t count) {
    if (count > sizeof reset_bytes) return -E2BIG;
    atomic_store(&armed, 0);
    memcpy(reset_bytes, bytes, count);
    reset_count = count;
    reset_descriptor = descriptor;
    atomic_store(&armed, 1);
    return 0;
}

void cs_crash_terminal_done(void) { atomic_store(&armed, 0); }

static void write_all(int descriptor, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(descriptor, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        bytes += written;
        count -= (size_t)written;
    }
}

static void copy_errors(int from, int to) {
    uint8_t buffer[1024];
    off_t offset = 0;
    for (;;) {
        ssize_t count = pread(from, buffer, sizeof buffer, offset);
        if (count <= 0) return;
        write_all(to, buffer, (size_t)count);
        offset += count;
    }
}

void cs_crash_reset_terminal(void) {
    if (!atomic_exchange(&armed, 0)) return;
    write_all(reset_descriptor, reset_bytes, reset_count);
    if (settings_saved) tcsetattr(reset_descriptor, TCSANOW, &settings);
    int held = atomic_exchange(&held_errors, -1);
    int errors = atomic_load(&true_errors);
    if (held < 0 || errors < 0) return;
    dup2(errors, STDERR_FILENO);
    copy_errors(held, errors);
}

int cs_errors_hold(void) {
    if (atomic_load(&held_errors) >= 0 || !isatty(STDERR_FILENO)) return 0;
    int held = memfd_create("errors", MFD_CLOEXEC);
    if (held < 0) return -errno;
    int errors = dup(STDERR_FILENO);
    if (errors < 0 || dup2(held, STDERR_FILENO) < 0) {
        int error = errno;
        close(held);
        if (errors >= 0) close(errors);
        return -error;
    }
    atomic_store(&true_errors, errors);
    atomic_store(&held_errors, held);
    return 0;
}

int cs_errors_trim(void) {
    int held = atomic_load(&held_errors);
    if (held < 0) return 0;
    off_t size = lseek(held, 0, SEEK_CUR);
    if (size <= held_bound) return 0;
    if (ftruncate(held, 0) < 0) return -errno;
    return lseek(held, 0, SEEK_SET) < 0 ? -errno : 0;
}

int cs_errors_release(void) {
    int held = atomic_exchange(&held_errors, -1);
    if (held < 0) return 0;
    int errors = atomic_exchange(&true_errors, -1);
    int result = dup2(errors, STDERR_FILENO) < 0 ? -errno : 0;
    copy_errors(held, errors);
    close(held);
    close(errors);
    return result;
}

int cs_character_width(uint32_t scalar) { return wcwidth((wchar_t)scalar); }
