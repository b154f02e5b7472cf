// The C interface: no exception leaves it.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "container.h"
#include "error.h"
#include "fxkit/fxkit.h"
#include "model.h"
#include "read_file.h"
#include "realtime_scope.h"

using fxkit::engine::Isa;
using fxkit::engine::LoadError;
using fxkit::engine::Proof;
using fxkit::engine::RealtimeScope;

struct fxkit_engine {
  std::unique_ptr<fxkit::engine::Model> model;
  bool prepared = false;
};

namespace {

constexpr std::size_t max_channels = 64;

void write_error(std::string_view text, char* error, std::size_t size) {
  if (!error || size == 0) return;
  std::size_t length = std::min(text.size(), size - 1);
  // Not half a character at the end.
  while (length < text.size() && length > 0 && (text[length] & 0xc0) == 0x80) --length;
  std::memcpy(error, text.data(), length);
  error[length] = '\0';
}

// Runs `body`; what it throws becomes a line of text and `failed`.
template <class Result, class Body>
Result guarded(char* error, std::size_t error_size, Result failed, Body body) {
  try {
    write_error("", error, error_size);
    return body();
  } catch (const std::bad_alloc&) {
    write_error("there is not enough memory", error, error_size);
  } catch (const std::exception& problem) {
    write_error(problem.what(), error, error_size);
  } catch (...) {
    write_error("something unexpected went wrong", error, error_size);
  }
  return failed;
}

std::optional<Isa> available_isa(std::string_view name) {
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (fxkit::kernels::name(isa) == name && fxkit::kernels::available(isa)) return isa;
  }
  return std::nullopt;
}

Isa isa_named(const char* name) {
  if (!name) return fxkit::kernels::best_isa();
  if (const auto isa = available_isa(name)) return *isa;
  throw LoadError("this machine or build has no kernels for " + fxkit::engine::quoted(name));
}

fxkit_engine* open_bytes(std::string_view bytes, const char* isa, Proof proof = Proof::probe) {
  auto engine = std::make_unique<fxkit_engine>();
  engine->model = fxkit::engine::open_model(bytes, isa_named(isa), proof);
  return engine.release();
}

}  // namespace

extern "C" {

int fxkit_api_version(void) { return FXKIT_API_VERSION; }

int fxkit_isa_available(const char* isa) { return isa && available_isa(isa) ? 1 : 0; }

fxkit_engine* fxkit_open(const char* path, const char* isa, char* error, size_t error_size) {
  return guarded<fxkit_engine*>(error, error_size, nullptr, [&] {
    if (!path) throw LoadError("no path is given");
    try {
      const std::vector<char> bytes = fxkit::engine::read_file(path);
      return open_bytes({bytes.data(), bytes.size()}, isa);
    } catch (const LoadError& problem) {
      throw LoadError(std::string(path) + ": " + problem.what());
    }
  });
}

fxkit_engine* fxkit_open_memory(const void* data, size_t size, const char* isa, char* error,
                                size_t error_size) {
  return guarded<fxkit_engine*>(error, error_size, nullptr, [&] {
    if (!data) throw LoadError("no data is given");
    return open_bytes({static_cast<const char*>(data), size}, isa);
  });
}

fxkit_engine* fxkit_open_unproven(const void* data, size_t size, const char* isa, char* error,
                                  size_t error_size) {
  return guarded<fxkit_engine*>(error, error_size, nullptr, [&] {
    if (!data) throw LoadError("no data is given");
    return open_bytes({static_cast<const char*>(data), size}, isa, Proof::none);
  });
}

void fxkit_close(fxkit_engine* engine) { delete engine; }

int fxkit_prepare(fxkit_engine* engine, double sample_rate, size_t /*max_block*/, size_t channels,
                  char* error, size_t error_size) {
  return guarded<int>(error, error_size, 0, [&] {
    if (!engine) throw LoadError("no engine is given");
    const auto rate = static_cast<double>(engine->model->manifest.sample_rate);
    if (sample_rate != rate) {
      throw LoadError("the model plays at " +
                      std::to_string(engine->model->manifest.sample_rate) +
                      " Hz: convert the audio to that rate");
    }
    if (channels < 1 || channels > max_channels) {
      throw LoadError("channels must be from 1 to " + std::to_string(max_channels));
    }
    engine->prepared = false;
    engine->model->player->prepare(channels,
                                   static_cast<std::size_t>(rate * FXKIT_CONTROL_SECONDS));
    engine->prepared = true;
    return 1;
  });
}

void fxkit_process(fxkit_engine* engine, const float* const* inputs, float* const* outputs,
                   size_t frames) FXKIT_NONBLOCKING {
  const RealtimeScope realtime;
  if (!engine || !inputs || !outputs) return;
  auto& player = *engine->model->player;
  if (engine->prepared) {
    player.process(inputs, outputs, frames);
  } else if (frames > 0) {
    // How many channels there are is not known before fxkit_prepare; there is at least one.
    std::fill_n(outputs[0], frames, 0.0f);
  }
}

void fxkit_reset(fxkit_engine* engine) FXKIT_NONBLOCKING {
  const RealtimeScope realtime;
  if (engine && engine->prepared) engine->model->player->reset();
}

size_t fxkit_latency(const fxkit_engine* engine) {
  return engine ? engine->model->manifest.latency : 0;
}

double fxkit_sample_rate(const fxkit_engine* engine) {
  return engine ? static_cast<double>(engine->model->manifest.sample_rate) : 0;
}

size_t fxkit_channels(const fxkit_engine* engine) {
  return engine && engine->prepared ? engine->model->player->streams() : 0;
}

size_t fxkit_control_count(const fxkit_engine* engine) {
  return engine ? engine->model->manifest.controls.size() : 0;
}

const char* fxkit_control_name(const fxkit_engine* engine, size_t index) {
  if (index >= fxkit_control_count(engine)) return "";
  return engine->model->manifest.controls[index].name.c_str();
}

float fxkit_control_default(const fxkit_engine* engine, size_t index) {
  if (index >= fxkit_control_count(engine)) return 0;
  return engine->model->manifest.controls[index].initial;
}

void fxkit_set_control(fxkit_engine* engine, size_t index, float value) FXKIT_NONBLOCKING {
  const RealtimeScope realtime;
  if (index >= fxkit_control_count(engine) || std::isnan(value)) return;
  engine->model->player->turn(index, std::clamp(value, 0.0f, 1.0f));
}

float fxkit_control(const fxkit_engine* engine, size_t index) {
  return index < fxkit_control_count(engine) ? engine->model->player->knob(index) : 0;
}

const char* fxkit_manifest(const fxkit_engine* engine) {
  return engine ? engine->model->manifest_text.c_str() : "";
}

double fxkit_probe_error(const fxkit_engine* engine) {
  return engine ? engine->model->probe_error : 0;
}

const char* fxkit_isa(const fxkit_engine* engine) {
  return engine ? fxkit::kernels::name(engine->model->isa).data() : "";
}

}  // extern "C"
