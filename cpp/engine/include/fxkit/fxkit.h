/* fxkit: plays exported models (.fxkit) in real time.
 *
 * A model is opened and prepared on any thread that may wait, and played on the audio thread:
 *
 *     char error[256];
 *     fxkit_engine* engine = fxkit_open("amp.fxkit", NULL, error, sizeof error);
 *     if (!engine) { puts(error); return 1; }
 *     fxkit_prepare(engine, fxkit_sample_rate(engine), 512, 2, error, sizeof error);
 *     fxkit_process(engine, inputs, outputs, 512);
 *     fxkit_close(engine);
 *
 * fxkit_process neither allocates, locks, throws nor calls the system. Samples are 32-bit floats,
 * full scale +-1. Functions marked "any thread" may run beside fxkit_process; of all others only one
 * at a time may use an engine. Different engines have nothing in common.
 */
#ifndef FXKIT_H
#define FXKIT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Says to Clang 20 and newer that a function must not block: the compiler warns of what might, and
 * RealtimeSanitizer watches it. Other compilers: see docs/engine.md. */
#if defined(__clang__) && defined(__has_attribute)
#if __has_attribute(nonblocking)
#define FXKIT_NONBLOCKING __attribute__((nonblocking))
#endif
#endif
#ifndef FXKIT_NONBLOCKING
#define FXKIT_NONBLOCKING
#endif

typedef struct fxkit_engine fxkit_engine;

/* The version of this interface: it grows when something is added. */
#define FXKIT_API_VERSION 2
int fxkit_api_version(void);

/* Whether this machine and build have an instruction set: 1 or 0. Since version 2. */
int fxkit_isa_available(const char* isa);

/* Opens a model file and lets it prove itself: its layers have to reproduce the probe that it holds.
 *
 * isa: "avx512", "avx2" or "baseline" (SSE2 or NEON), or NULL for the best that this machine has.
 * error: where to write one line of text if the call fails; may be NULL.
 * Returns NULL on failure. A file may be damaged or hostile: it is refused, and what memory a file can
 * make this use is bounded: about four times its size plus 64 MiB when it is opened, and about 100 MiB
 * for each channel that is prepared. */
fxkit_engine* fxkit_open(const char* path, const char* isa, char* error, size_t error_size);

/* The same of a file that is in memory; the memory is not needed afterwards. */
fxkit_engine* fxkit_open_memory(const void* data, size_t size, const char* isa, char* error,
                                size_t error_size);

/* The same of a file without a probe, as a program makes it in memory of another player's file. All
 * else is checked; that the layers are what the other player computes is for the caller to prove. */
fxkit_engine* fxkit_open_unproven(const void* data, size_t size, const char* isa, char* error,
                                  size_t error_size);

/* Frees the engine; NULL is allowed. */
void fxkit_close(fxkit_engine* engine);

/* Allocates what playing takes and starts afresh. Needed once before fxkit_process.
 *
 * sample_rate: of the audio in Hz; must be that of the model (convert it if yours is another).
 * max_block: the usual number of samples per call, a hint; larger blocks are allowed as well.
 * channels: how many signals are played side by side, 1 to 64.
 * Returns 1, or 0 and a line of text. */
int fxkit_prepare(fxkit_engine* engine, double sample_rate, size_t max_block, size_t channels,
                  char* error, size_t error_size);

/* Plays `frames` samples of every channel; 0 and 1 are allowed, and so are inputs[i] == outputs[i].
 * Without fxkit_prepare before, the first output is silent, and others are left alone: how many there
 * are is not known then. How a signal is cut into blocks makes no difference to the output. */
void fxkit_process(fxkit_engine* engine, const float* const* inputs, float* const* outputs,
                   size_t frames) FXKIT_NONBLOCKING;

/* Forgets what was played: the next sample is the first one. Real-time safe. */
void fxkit_reset(fxkit_engine* engine) FXKIT_NONBLOCKING;

/* By how many samples the output lags the input. Any thread. */
size_t fxkit_latency(const fxkit_engine* engine);

/* The sample rate of the model in Hz. Any thread. */
double fxkit_sample_rate(const fxkit_engine* engine);

/* The number of signals of the last fxkit_prepare, 0 before. */
size_t fxkit_channels(const fxkit_engine* engine);

/* The knobs of the model, and each one's name and default in 0..1. Any thread. */
size_t fxkit_control_count(const fxkit_engine* engine);
const char* fxkit_control_name(const fxkit_engine* engine, size_t index);
float fxkit_control_default(const fxkit_engine* engine, size_t index);

/* Turns a knob to `value` in 0..1 (others are moved into it; NaN is ignored). It gets there in
 * FXKIT_CONTROL_SECONDS, or at once after fxkit_prepare and fxkit_reset. Any thread, lock-free. */
#define FXKIT_CONTROL_SECONDS 0.02
void fxkit_set_control(fxkit_engine* engine, size_t index, float value) FXKIT_NONBLOCKING;

/* The value that a knob is turned to. Any thread. */
float fxkit_control(const fxkit_engine* engine, size_t index);

/* What the file says about itself, JSON; lives as long as the engine. Any thread. */
const char* fxkit_manifest(const fxkit_engine* engine);

/* How far the probe came out from what was recorded, over its largest sample. Any thread. */
double fxkit_probe_error(const fxkit_engine* engine);

/* The instruction set in use: "avx512", "avx2" or "baseline". Any thread. */
const char* fxkit_isa(const fxkit_engine* engine);

#ifdef __cplusplus
}
#endif

#endif
