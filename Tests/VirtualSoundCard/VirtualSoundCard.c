#define _GNU_SOURCE
#include "VirtualSoundCard.h"

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    snd_pcm_ioplug_t io;
    vcard_line *line;
    /// The card's sample at which frame 0 of this stream passes.
    int64_t origin;
    /// Frames that the program has written or read since the start.
    int64_t transferred;
    /// Where a stalled card stands still.
    int64_t last_position;
} vcard;

vcard_line *vcard_map(const char *path) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return NULL;
    void *memory = MAP_FAILED;
    if (ftruncate(descriptor, sizeof(vcard_line)) == 0)
        memory = mmap(NULL, sizeof(vcard_line), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    return memory == MAP_FAILED ? NULL : memory;
}

void vcard_unmap(vcard_line *line) { munmap(line, sizeof(vcard_line)); }

static int64_t nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t card_sample(void) { return (int64_t)((__int128)nanoseconds() * vcard_rate / 1000000000); }

/// Frames that have passed the connector since the start.
static int64_t position(vcard *card) {
    if (card->line->fault != vcard_stalled) card->last_position = card_sample() - card->origin;
    return card->last_position;
}

static int vcard_start(snd_pcm_ioplug_t *io) {
    vcard *card = io->private_data;
    if (card->line->fault == vcard_unplugged) return -ENODEV;
    card->origin = card_sample();
    card->last_position = 0;
    int64_t period = (int64_t)io->period_size * 1000000000 / vcard_rate;
    int64_t first = nanoseconds() + period;
    struct itimerspec times = {
        .it_interval = {period / 1000000000, period % 1000000000},
        .it_value = {first / 1000000000, first % 1000000000},
    };
    timerfd_settime(io->poll_fd, TFD_TIMER_ABSTIME, &times, NULL);
    if (io->stream == SND_PCM_STREAM_PLAYBACK) {
        // What was written before the start begins to play now: it is silence, see vcard_transfer.
        for (int64_t frame = 0; frame < card->transferred; frame++)
            card->line->samples[(card->origin + frame) % vcard_samples] = 0;
    } else {
        card->transferred = 0;
    }
    return 0;
}

static int vcard_stop(snd_pcm_ioplug_t *io) {
    struct itimerspec none = {0};
    timerfd_settime(io->poll_fd, 0, &none, NULL);
    return 0;
}

static int vcard_prepare(snd_pcm_ioplug_t *io) {
    vcard *card = io->private_data;
    if (card->line->fault == vcard_unplugged) return -ENODEV;
    card->transferred = 0;
    card->last_position = 0;
    return 0;
}

static snd_pcm_sframes_t vcard_pointer(snd_pcm_ioplug_t *io) {
    vcard *card = io->private_data;
    if (card->line->fault == vcard_unplugged) return -ENODEV;
    if (io->state != SND_PCM_STATE_RUNNING) return 0;
    int64_t passed = position(card);
    int64_t ahead = io->stream == SND_PCM_STREAM_PLAYBACK ? card->transferred - passed : passed - card->transferred;
    // Ran dry, or over.
    if (io->stream == SND_PCM_STREAM_PLAYBACK ? ahead < 0 : ahead > (int64_t)io->buffer_size) return -EPIPE;
    return passed % (int64_t)io->buffer_size;
}

static snd_pcm_sframes_t vcard_transfer(
    snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset, snd_pcm_uframes_t size) {
    vcard *card = io->private_data;
    if (card->line->fault == vcard_unplugged) return -ENODEV;
    int16_t *samples = (int16_t *)((char *)areas->addr + areas->first / 8) + offset;
    int is_playback = io->stream == SND_PCM_STREAM_PLAYBACK;
    // Before the start a playback stream has no place on the card yet: what a program primes it with is played as
    // silence.
    int is_running = io->state == SND_PCM_STATE_RUNNING;
    for (snd_pcm_uframes_t frame = 0; frame < size; frame++) {
        int16_t *place = &card->line->samples[(card->origin + card->transferred + (int64_t)frame) % vcard_samples];
        if (!is_playback)
            samples[frame] = *place;
        else if (is_running)
            *place = samples[frame];
    }
    card->transferred += (int64_t)size;
    return (snd_pcm_sframes_t)size;
}

static int vcard_poll_revents(
    snd_pcm_ioplug_t *io, struct pollfd *descriptors, unsigned int count, unsigned short *revents) {
    (void)count;
    uint64_t expirations;
    vcard *card = io->private_data;
    if (descriptors[0].revents & POLLIN && read(io->poll_fd, &expirations, sizeof expirations) < 0) expirations = 0;
    int is_ready = card->line->fault == vcard_works && descriptors[0].revents & POLLIN;
    *revents = is_ready ? (io->stream == SND_PCM_STREAM_PLAYBACK ? POLLOUT : POLLIN) : 0;
    return 0;
}

static int vcard_close(snd_pcm_ioplug_t *io) {
    vcard *card = io->private_data;
    __sync_fetch_and_sub(&card->line->open_count, 1);
    vcard_unmap(card->line);
    close(io->poll_fd);
    free(card);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = vcard_start,
    .stop = vcard_stop,
    .prepare = vcard_prepare,
    .pointer = vcard_pointer,
    .transfer = vcard_transfer,
    .poll_revents = vcard_poll_revents,
    .close = vcard_close,
};

static int restrict_parameters(snd_pcm_ioplug_t *io) {
    // Converters of ALSA (`type plug`) want the second one.
    static const unsigned int accesses[] = {SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED};
    static const unsigned int formats[] = {SND_PCM_FORMAT_S16_LE};
    int error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 2, accesses);
    if (error >= 0) error = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, formats);
    if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, 1, 1);
    if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, vcard_rate, vcard_rate);
    if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 240, 1 << 14);
    if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 480, 1 << 16);
    return error;
}

static int open_line(const char *path, vcard_line **line) {
    *line = vcard_map(path);
    if (!*line) return -ENODEV;
    while ((*line)->fault == vcard_hangs_at_open) usleep(5000);
    int error = (*line)->fault == vcard_unplugged ? -ENODEV : (*line)->fault == vcard_held ? -EBUSY : 0;
    if (error) vcard_unmap(*line);
    return error;
}

SND_PCM_PLUGIN_DEFINE_FUNC(vcard) {
    (void)root;
    const char *path = NULL;
    snd_config_iterator_t place, next;
    snd_config_for_each(place, next, conf) {
        snd_config_t *item = snd_config_iterator_entry(place);
        const char *id;
        if (snd_config_get_id(item, &id) >= 0 && strcmp(id, "line") == 0) snd_config_get_string(item, &path);
    }
    if (!path) return -EINVAL;
    vcard_line *line;
    int error = open_line(path, &line);
    if (error < 0) return error;
    vcard *card = calloc(1, sizeof *card);
    if (!card) {
        vcard_unmap(line);
        return -ENOMEM;
    }
    card->line = line;
    card->io.version = SND_PCM_IOPLUG_VERSION;
    card->io.name = "Virtual sound card";
    card->io.callback = &callbacks;
    card->io.private_data = card;
    card->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    card->io.poll_events = POLLIN;
    error = snd_pcm_ioplug_create(&card->io, name, stream, mode);
    if (error < 0) {
        close(card->io.poll_fd);
        vcard_unmap(line);
        free(card);
        return error;
    }
    __sync_fetch_and_add(&line->open_count, 1);
    error = restrict_parameters(&card->io);
    if (error < 0) {
        snd_pcm_ioplug_delete(&card->io);
        return error;
    }
    *pcmp = card->io.pcm;
    return 0;
}
SND_PCM_PLUGIN_SYMBOL(vcard);
