/* What a back end gives its host: a shared library `libfxkit-NAME.so` (.dylib, .dll) that runs programs.
 *
 * The library exports one function, `fxkit_backend_get`. A program turns one window of samples into
 * another, without memory; it is data, made by `fxkit export`. Plain C, so that a back end and its
 * host need not share a compiler. The names begin with fxkit_backend; nothing here throws.
 */
#ifndef FXKIT_HOST_BACKEND_H
#define FXKIT_HOST_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Before the definition of fxkit_backend_get: what makes it seen from outside. */
#if defined(_WIN32)
#define FXKIT_BACKEND_EXPORT __declspec(dllexport)
#else
#define FXKIT_BACKEND_EXPORT __attribute__((visibility("default")))
#endif

/* Raised with every change of this file that is not compatible. */
#define FXKIT_BACKEND_VERSION 1

typedef struct fxkit_backend_program fxkit_backend_program;

typedef struct fxkit_backend {
  uint32_t version;     /* FXKIT_BACKEND_VERSION */
  const char* name;     /* "executorch" */
  const char* runtime;  /* the version of what runs the programs: "1.5.1" */

  /* Loads a program; the bytes may go away afterwards. NULL, and one line in `error`, where it is
   * damaged or needs what is not there. Any thread. */
  fxkit_backend_program* (*open)(const void* data, size_t size, char* error, size_t error_size);

  /* Samples of a window, and the number of knobs, which may be 0. */
  size_t (*window)(const fxkit_backend_program* program);
  size_t (*controls)(const fxkit_backend_program* program);

  /* Computes one window on the calling thread: `window` samples in and out, which may not overlap,
   * and `controls` knobs in 0..1. Returns 1; or 0, and one line in `error`. A program runs in one
   * thread at a time; several programs may run at once. No heap allocation after the first run. */
  int (*run)(fxkit_backend_program* program, const float* in, const float* controls, float* out,
             char* error, size_t error_size);

  void (*close)(fxkit_backend_program* program); /* NULL is fine */
} fxkit_backend;

/* The one symbol that a back end exports. The result is valid until the library is closed. */
typedef const fxkit_backend* (*fxkit_backend_get_function)(void);
#define FXKIT_BACKEND_SYMBOL "fxkit_backend_get"

#ifdef __cplusplus
}
#endif

#endif
