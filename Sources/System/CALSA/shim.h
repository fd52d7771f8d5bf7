#pragma once

#include <alsa/asoundlib.h>

static void calsa_ignore_error(
    const char *file, int line, const char *function, int error, const char *format, ...) {
    (void)file, (void)line, (void)function, (void)error, (void)format;
}

/// Keeps the library from writing to stderr, which may be the terminal that the phone draws on. Variadic: C only.
static inline void calsa_silence(void) { snd_lib_error_set_handler(calsa_ignore_error); }
