// libopus, and its variadic controls as functions of one number: Swift imports no variadic function.

#ifndef COPUS_SHIM_H
#define COPUS_SHIM_H

#include <opus.h>

// `request` is one of the OPUS_SET_*_REQUEST numbers that take an opus_int32. Gives OPUS_OK or a negative error.
static inline int copus_encoder_set(OpusEncoder *encoder, int request, opus_int32 value) {
    return opus_encoder_ctl(encoder, request, value);
}

// `request` is one of the OPUS_GET_*_REQUEST numbers that give an opus_int32.
static inline int copus_encoder_get(OpusEncoder *encoder, int request, opus_int32 *value) {
    return opus_encoder_ctl(encoder, request, value);
}

static inline int copus_encoder_reset(OpusEncoder *encoder) {
    return opus_encoder_ctl(encoder, OPUS_RESET_STATE);
}

static inline int copus_decoder_reset(OpusDecoder *decoder) {
    return opus_decoder_ctl(decoder, OPUS_RESET_STATE);
}

#endif
