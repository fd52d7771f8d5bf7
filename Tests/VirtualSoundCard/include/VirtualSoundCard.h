/// A sound card without hardware: an ALSA plug-in whose lines are files of shared memory in real time.
///
///     pcm_type.vcard { lib "/path/libVirtualSoundCard.so" }
///     pcm.phone { type asym  playback.pcm { type vcard line "/dev/shm/x" }  capture.pcm { type vcard line "/dev/shm/y" } }
///
/// Sample n of the monotonic clock (nanoseconds * 48000 / 1e9) is at `samples[n % vcard_samples]`, so two programs, or
/// a test and a phone, that open the same line are joined by a cable without delay or drift.
#pragma once

#include <stdint.h>

enum { vcard_samples = 1 << 18, vcard_rate = 48000 };

/// What goes wrong with a line; written by a test at any time.
enum vcard_fault {
    vcard_works = 0,
    /// The device is pulled out: every call fails with ENODEV.
    vcard_unplugged = 1,
    /// The device stands still: nothing moves, and nothing fails.
    vcard_stalled = 2,
    /// Opening fails with EBUSY.
    vcard_held = 3,
    /// Opening waits until the fault is taken back.
    vcard_hangs_at_open = 4,
};

typedef struct {
    volatile int32_t fault;
    /// How many PCMs have the line open now.
    volatile int32_t open_count;
    int16_t samples[vcard_samples];
} vcard_line;

/// Maps a line, making it where it is not there; NULL on failure.
vcard_line *vcard_map(const char *path);
void vcard_unmap(vcard_line *line);
