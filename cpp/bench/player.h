/* What a shared library has to have for engine_bench to time it beside this engine:
 *
 *     engine_bench --against libother.so --against libthird.so
 *
 * So other players are built outside of this project, each with a page of code around it. */
#ifndef FXKIT_BENCH_PLAYER_H
#define FXKIT_BENCH_PLAYER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A few words for the table: "RTNeural, xsimd". */
const char* fxkit_player_name(void);

/* The files that it plays: "nam" (Neural Amp Modeler, 0.5.4) or "rtneural" (RTNeural's JSON). */
const char* fxkit_player_reads(void);

/* Opens a model at 48 kHz; NULL if the player cannot play this one. max_block: the largest block. */
void* fxkit_player_open(const char* path, size_t max_block);

/* Plays one block of one channel. */
void fxkit_player_process(void* model, const float* in, float* out, size_t frames);

void fxkit_player_close(void* model);

#ifdef __cplusplus
}
#endif

#endif
