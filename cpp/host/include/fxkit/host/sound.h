// One model, made ready for one host rate and number of channels.
//
// A Sound is made, prepared and freed on a thread that may wait, and played on the audio thread. Of
// all calls that are not marked "any thread", only one at a time may use a Sound.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "fxkit/fxkit.hpp"
#include "fxkit/host/model_info.h"

namespace fxkit::host {

// The file holds a program, which the user has not allowed yet.
struct ProgramNotAllowed : Error {
  ProgramNotAllowed(const std::string& line, std::string program, std::string model)
      : Error(line), hash(std::move(program)), whose(std::move(model)) {}
  std::string hash;   // SHA-256 of the program, in hexadecimal digits
  std::string whose;  // name and author of the model, as allow_program takes its note
};

struct OpenOptions {
  std::string isa;                            // of the engine; empty: the best of this machine
  std::vector<std::string> allowed_programs;  // hashes, see ProgramNotAllowed
};

class Sound {
 public:
  // Reads .fxkit, .nam, and the JSON files of AIDA-X and Proteus (.json, .aidax); the content decides
  // where the ending does not. Throws Error with one line, or ProgramNotAllowed.
  static std::unique_ptr<Sound> open(const std::string& path, const OpenOptions& options = {});

  ~Sound();

  // Allocates what playing takes, and starts afresh.
  //
  // host_rate: whole Hz, 1,000 to 1,000,000. max_block: the usual number of frames per call; more
  // are allowed. channels: 1 to 64. Throws Error.
  void prepare(double host_rate, std::size_t max_block, std::size_t channels);

  // Plays `frames` samples of each channel; any number, and in[i] == out[i] is allowed. How a signal
  // is cut into blocks makes no difference. NaN and infinity count as silence, and none comes out.
  // Audio thread: neither allocates, locks nor throws. Silent before prepare.
  void process(const float* const* in, float* const* out, std::size_t frames) noexcept;

  // The next sample is the first one. Audio thread.
  void reset() noexcept;

  // By how many samples of the host the output lags: rate conversion, model and worker.
  std::size_t latency() const noexcept;

  const ModelInfo& info() const noexcept;

  // Turns a knob to `value` in 0..1. Any thread.
  void set_control(std::size_t index, float value) noexcept;

  // The share of a block's duration that playing it takes, measured; 0.1 is a tenth, above 1 is too
  // slow for this machine. Takes up to about half a second, and starts afresh. Needs prepare.
  double cost(std::size_t block);

  // Whether a model that plays on a worker thread waits for it, instead of giving silence where the
  // worker is late. Any thread.
  void set_offline(bool offline) noexcept;

 private:
  class Player;
  explicit Sound(std::unique_ptr<Player> player);
  std::unique_ptr<Player> player_;
};

}  // namespace fxkit::host
