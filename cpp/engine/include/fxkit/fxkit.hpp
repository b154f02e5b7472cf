// fxkit for C++: `fxkit.h` with ownership and exceptions. The audio thread's calls are noexcept.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fxkit/fxkit.h"

namespace fxkit {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Engine {
 public:
  // Opens a file, for the best instruction set if `isa` is null; throws Error.
  static Engine open(const std::string& path, const char* isa = nullptr) {
    char error[error_size] = "";
    return Engine(fxkit_open(path.c_str(), isa, error, sizeof error), error);
  }

  static Engine open(const void* data, std::size_t size, const char* isa = nullptr) {
    char error[error_size] = "";
    return Engine(fxkit_open_memory(data, size, isa, error, sizeof error), error);
  }

  // Of a file that was made in memory and has no probe.
  static Engine open_unproven(const void* data, std::size_t size, const char* isa = nullptr) {
    char error[error_size] = "";
    return Engine(fxkit_open_unproven(data, size, isa, error, sizeof error), error);
  }

  // Throws Error.
  void prepare(double sample_rate, std::size_t max_block, std::size_t channels) {
    char error[error_size] = "";
    if (!fxkit_prepare(get(), sample_rate, max_block, channels, error, sizeof error)) {
      throw Error(error);
    }
  }

  void process(const float* const* inputs, float* const* outputs, std::size_t frames) noexcept {
    fxkit_process(get(), inputs, outputs, frames);
  }
  void reset() noexcept { fxkit_reset(get()); }
  void set_control(std::size_t index, float value) noexcept {
    fxkit_set_control(get(), index, value);
  }

  float control(std::size_t index) const noexcept { return fxkit_control(get(), index); }
  std::size_t latency() const noexcept { return fxkit_latency(get()); }
  double sample_rate() const noexcept { return fxkit_sample_rate(get()); }
  std::size_t channels() const noexcept { return fxkit_channels(get()); }
  double probe_error() const noexcept { return fxkit_probe_error(get()); }
  std::string_view isa() const noexcept { return fxkit_isa(get()); }
  std::string_view manifest() const noexcept { return fxkit_manifest(get()); }

  std::vector<std::string> control_names() const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < fxkit_control_count(get()); ++i) {
      names.emplace_back(fxkit_control_name(get(), i));
    }
    return names;
  }
  float control_default(std::size_t index) const noexcept {
    return fxkit_control_default(get(), index);
  }

  fxkit_engine* get() const noexcept { return engine_.get(); }

  // Whether this machine and build have the instruction set.
  static bool available(const char* isa) noexcept { return fxkit_isa_available(isa) != 0; }

 private:
  static constexpr std::size_t error_size = 512;

  Engine(fxkit_engine* engine, const char* error) : engine_(engine) {
    if (!engine) throw Error(error);
  }

  struct Close {
    void operator()(fxkit_engine* engine) const noexcept { fxkit_close(engine); }
  };
  std::unique_ptr<fxkit_engine, Close> engine_;
};

}  // namespace fxkit
