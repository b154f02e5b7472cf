#include "fxkit/host/sound.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "flush_denormals.h"
#include "fxkit/host/resampler.h"
#include "open.h"
#include "realtime_scope.h"

namespace fxkit::host {
namespace {

constexpr std::size_t max_channels = 64;
constexpr std::size_t chunk = 256;   // frames of the host that go through at once
constexpr std::size_t max_burst = 1 << 16;  // frames of a block, as far as a source has to know
constexpr float loudest = 1e4f;      // 80 dB above full scale; no network is asked for more

// Rows of floats, one for each channel.
class Rows {
 public:
  void resize(std::size_t channels, std::size_t length) {
    length_ = length;
    data_.assign(channels * length, 0);
    rows_.resize(channels);
    for (std::size_t c = 0; c < channels; ++c) rows_[c] = data_.data() + c * length;
  }
  float* const* get() const { return rows_.data(); }
  float* operator[](std::size_t c) const { return rows_[c]; }
  std::size_t channels() const { return rows_.size(); }
  std::size_t length() const { return length_; }

 private:
  std::vector<float> data_;
  std::vector<float*> rows_;
  std::size_t length_ = 0;
};

// A row of pointers, moved on by `by` frames.
void moved(const Rows& rows, std::size_t by, std::vector<float*>& out) {
  for (std::size_t c = 0; c < rows.channels(); ++c) out[c] = rows[c] + by;
}

// Replaces what is not a number, and says whether there was any.
bool clean(float* samples, std::size_t frames) {
  bool bad = false;
  for (std::size_t t = 0; t < frames; ++t) {
    const bool good = std::abs(samples[t]) <= std::numeric_limits<float>::max();
    bad |= !good;
    samples[t] = good ? samples[t] : 0.0f;
  }
  return bad;
}

}  // namespace

class Sound::Player {
 public:
  explicit Player(Opened opened) : source_(std::move(opened.source)), info_(std::move(opened.info)) {}

  void prepare(double host_rate, std::size_t max_block, std::size_t channels);
  void process(const float* const* in, float* const* out, std::size_t frames) noexcept;
  void reset() noexcept;
  double cost(std::size_t block);
  std::size_t latency() const noexcept { return latency_; }
  const ModelInfo& info() const noexcept { return info_; }
  Source& source() noexcept { return *source_; }

  bool offline() const noexcept { return offline_.load(std::memory_order_relaxed); }
  void set_offline(bool offline) noexcept {
    offline_.store(offline, std::memory_order_relaxed);
    source_->set_offline(offline);
  }

 private:
  void find_latency();
  void play(const Rows& signal, std::size_t frames) noexcept;
  void convert(std::size_t frames) noexcept;

  std::unique_ptr<Source> source_;
  ModelInfo info_;
  double host_rate_ = 0;
  std::size_t channels_ = 0;
  std::size_t latency_ = 0;
  std::optional<Resampler> there_, back_;  // none where the rates are equal
  Rows input_, inside_, ready_;            // at the host's rate, the model's, and the host's
  std::vector<float*> from_;
  std::size_t max_ready_ = 0;              // frames that wait in `ready_` between two calls
  std::size_t skip_ = 0;                   // samples of the model's latency, still to be left out
  std::size_t silence_ = 0;                // frames of latency_, still to be given
  std::size_t held_ = 0;                   // frames in `ready_`
  std::atomic<bool> offline_{false};
};

void Sound::Player::prepare(double host_rate, std::size_t max_block, std::size_t channels) {
  if (!(host_rate >= Resampler::min_rate && host_rate <= Resampler::max_rate)) {
    throw Error("the host's sample rate must be from 1000 to 1000000 Hz");
  }
  if (channels < 1 || channels > max_channels) {
    throw Error("channels must be from 1 to " + std::to_string(max_channels));
  }
  if (max_block < 1) throw Error("a block must have at least 1 frame");
  channels_ = 0;  // should something fail
  host_rate_ = host_rate;
  const auto outer = static_cast<std::uint32_t>(std::lround(host_rate));
  const auto inner = static_cast<std::uint32_t>(std::lround(source_->sample_rate()));
  there_.reset();
  back_.reset();
  input_.resize(channels, chunk);
  from_.resize(channels);
  if (outer == inner) {
    source_->prepare(std::min(max_block, max_burst), channels);
    latency_ = source_->latency();
  } else {
    there_.emplace(outer, inner, channels);
    back_.emplace(inner, outer, channels);
    const std::size_t most = there_->max_outputs(chunk);
    const double ratio = source_->sample_rate() / host_rate;
    const auto burst = static_cast<std::size_t>(std::ceil(
        static_cast<double>(std::min(max_block, max_burst)) * ratio));
    source_->prepare(burst + 1, channels);
    find_latency();
    inside_.resize(channels, most);
    ready_.resize(channels, max_ready_ + back_->max_outputs(most));
  }
  channels_ = channels;
  reset();
}

// After n inputs the way back has made made(n) outputs; the latency is the least D for which
// n - D <= made(n) at every n. What is to be rounded up repeats after down() inputs, and the start,
// where made(n) cannot fall below 0, asks for no more.
void Sound::Player::find_latency() {
  const auto up = static_cast<std::int64_t>(there_->up());
  const auto down = static_cast<std::int64_t>(there_->down());
  const auto there = static_cast<std::int64_t>(there_->reach());
  const auto back = static_cast<std::int64_t>(back_->reach() + source_->latency());
  const std::int64_t start = (there + back * down / up + 1) / down + 1;  // periods: all is positive
  std::int64_t least = std::numeric_limits<std::int64_t>::max(), most = 0;
  for (std::int64_t n = start * down; n < (start + 1) * down; ++n) {
    const std::int64_t inside = ((n - there) * up + down - 1) / down;
    const std::int64_t lag = n - ((inside - back) * down + up - 1) / up;
    least = std::min(least, lag);
    most = std::max(most, lag);
  }
  latency_ = static_cast<std::size_t>(most);
  max_ready_ = static_cast<std::size_t>(most - least);
}

void Sound::Player::reset() noexcept {
  if (channels_ == 0) return;
  source_->reset();
  if (!there_) return;
  there_->reset();
  back_->reset();
  skip_ = source_->latency();
  silence_ = latency_;
  held_ = 0;
}

void Sound::Player::process(const float* const* in, float* const* out,
                            std::size_t frames) noexcept {
  if (channels_ == 0) {
    // How many channels there are is not known before prepare; there is at least one.
    std::fill_n(out[0], frames, 0.0f);
    return;
  }
  const kernels::FlushDenormals flush;
  for (std::size_t start = 0; start < frames; start += chunk) {
    const std::size_t size = std::min(chunk, frames - start);
    for (std::size_t c = 0; c < channels_; ++c) {
      const float* const from = in[c] + start;
      for (std::size_t t = 0; t < size; ++t) {
        const float x = std::isfinite(from[t]) ? from[t] : 0.0f;
        input_[c][t] = std::clamp(x, -loudest, loudest);
      }
    }
    if (!there_) {
      play(input_, size);
      for (std::size_t c = 0; c < channels_; ++c) std::copy_n(input_[c], size, out[c] + start);
      continue;
    }
    convert(size);
    const std::size_t silent = std::min(silence_, size), rest = size - silent;
    for (std::size_t c = 0; c < channels_; ++c) {
      std::fill_n(out[c] + start, silent, 0.0f);
      std::copy_n(ready_[c], rest, out[c] + start + silent);
      std::copy(ready_[c] + rest, ready_[c] + held_, ready_[c]);
    }
    silence_ -= silent;
    held_ -= rest;
  }
}

// Plays a signal at the model's rate, in place. A model that has come to NaN starts afresh.
void Sound::Player::play(const Rows& signal, std::size_t frames) noexcept {
  source_->process(signal.get(), signal.get(), frames);
  bool bad = false;
  for (std::size_t c = 0; c < channels_; ++c) bad |= clean(signal[c], frames);
  if (bad) source_->reset();
}

// From `input_` over the model to the end of `ready_`.
void Sound::Player::convert(std::size_t frames) noexcept {
  const std::size_t inside = there_->process(input_.get(), frames, inside_.get());
  play(inside_, inside);
  const std::size_t late = std::min(skip_, inside);
  skip_ -= late;
  moved(inside_, late, from_);
  std::array<float*, max_channels> to;
  for (std::size_t c = 0; c < channels_; ++c) to[c] = ready_[c] + held_;
  held_ += back_->process(from_.data(), inside - late, to.data());
}

double Sound::Player::cost(std::size_t block) {
  if (channels_ == 0) throw Error("the cost of playing is measured after prepare");
  using Clock = std::chrono::steady_clock;
  constexpr double seconds = 0.05, patience = 0.5;
  constexpr std::size_t parts = 5;
  block = std::max<std::size_t>(block, 1);
  // With a worker, each part has to hold several of its windows.
  const std::size_t frames = std::max(static_cast<std::size_t>(seconds * host_rate_), 2 * latency_);
  const std::size_t blocks = std::max<std::size_t>(frames / block, 2);
  Rows signal;
  signal.resize(channels_, block);
  std::uint32_t random = 1;
  double least = std::numeric_limits<double>::infinity();
  reset();
  source_->set_offline(true);
  const auto start = Clock::now();
  for (std::size_t part = 0; part < parts; ++part) {
    double took = 0;
    for (std::size_t i = 0; i < blocks; ++i) {
      for (std::size_t c = 0; c < channels_; ++c) {
        for (std::size_t t = 0; t < block; ++t) {
          random = random * 1664525u + 1013904223u;
          signal[c][t] = 0.2f * (static_cast<float>(random >> 8) / 8388608.0f - 1.0f);
        }
      }
      const auto before = Clock::now();
      process(signal.get(), signal.get(), block);
      took += std::chrono::duration<double>(Clock::now() - before).count();
    }
    // The quickest part: what else the machine did just then is not the model's.
    least = std::min(least, took * host_rate_ / static_cast<double>(blocks * block));
    // The first part alone may have met a pause of the whole machine.
    if (part > 0 && std::chrono::duration<double>(Clock::now() - start).count() > patience) break;
  }
  source_->set_offline(offline_.load(std::memory_order_relaxed));
  reset();
  return least;
}

std::unique_ptr<Sound> Sound::open(const std::string& path, const OpenOptions& options) {
  return std::unique_ptr<Sound>(
      new Sound(std::make_unique<Player>(open_file(path, options))));
}

Sound::Sound(std::unique_ptr<Player> player) : player_(std::move(player)) {}
Sound::~Sound() = default;

void Sound::prepare(double host_rate, std::size_t max_block, std::size_t channels) {
  player_->prepare(host_rate, max_block, channels);
}
void Sound::process(const float* const* in, float* const* out, std::size_t frames) noexcept {
  const engine::RealtimeScope realtime(!player_->offline());
  player_->process(in, out, frames);
}
void Sound::reset() noexcept { player_->reset(); }
std::size_t Sound::latency() const noexcept { return player_->latency(); }
const ModelInfo& Sound::info() const noexcept { return player_->info(); }
void Sound::set_control(std::size_t index, float value) noexcept {
  player_->source().set_control(index, value);
}
double Sound::cost(std::size_t block) { return player_->cost(block); }
void Sound::set_offline(bool offline) noexcept { player_->set_offline(offline); }

}  // namespace fxkit::host
