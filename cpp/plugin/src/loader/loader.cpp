#include "loader/loader.h"

#include <chrono>
#include <cmath>
#include <utility>

#include "fxkit/host/allowed_programs.h"

namespace fxkit::plugin {
namespace {

constexpr double usual_loudness = -18;  // LUFS, of a normalised model
constexpr std::size_t max_knobs = 8;     // that the plug-in has parameters for

std::string percent(double share) {
  return std::to_string(static_cast<long>(std::lround(std::min(share, 1000.0) * 100))) + " %";
}

std::string needs(const host::ModelInfo& info, double cost) {
  return info.name + " needs " + percent(cost) + " of a block's time on this machine";
}

float factor_of(const host::ModelInfo& info) {
  if (!info.output_loudness) return 1.0f;
  const double db = std::clamp(usual_loudness - *info.output_loudness, -40.0, 40.0);
  return static_cast<float>(std::pow(10.0, db / 20));
}

}  // namespace

Loader::Loader(Chain& chain, Listener& listener)
    : chain_(chain), listener_(listener), thread_([this] { work(); }) {}

Loader::~Loader() {
  {
    const std::lock_guard hold(state_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

Loader::Status Loader::status() const {
  const std::lock_guard hold(state_);
  return status_;
}

void Loader::change(const std::function<void(Status&)>& how) {
  {
    const std::lock_guard hold(state_);
    how(status_);
  }
  version_.fetch_add(1, std::memory_order_release);
}

void Loader::load(const juce::File& file) { load(Wanted{file}); }

void Loader::load(const Wanted& wanted) {
  {
    const std::lock_guard hold(state_);
    if (!next_model_) waiting_.fetch_add(1, std::memory_order_release);
    next_model_ = wanted;
    status_.model = wanted.file;
    status_.stage = Stage::loading;
    status_.refused.reset();
    status_.message = "Loading " + wanted.file.getFileName().toStdString();
  }
  version_.fetch_add(1, std::memory_order_release);
  wake_.notify_all();
}

void Loader::load_cabinet(const juce::File& file) {
  {
    const std::lock_guard hold(state_);
    if (!next_cabinet_) waiting_.fetch_add(1, std::memory_order_release);
    next_cabinet_ = file;
  }
  wake_.notify_all();
}

void Loader::work() {
  using namespace std::chrono_literals;
  for (;;) {
    {
      std::unique_lock hold(state_);
      wake_.wait_for(hold, 20ms, [this] {
        return stop_ || next_model_ || next_cabinet_ || release_.load() || reclaim_.load();
      });
      if (stop_) return;
    }
    std::optional<Wanted> model;
    std::optional<juce::File> cabinet;
    bool released = false;
    {
      const std::lock_guard hold(loading_);
      {
        // Taken only now: until then a newer load_now may call them off.
        const std::lock_guard hold_state(state_);
        std::swap(model, next_model_);
        std::swap(cabinet, next_cabinet_);
      }
      released = release_.exchange(false);
      if (released) play_held();
      if (reclaim_.exchange(false) && !model) hold_back();
      if (model) open(model->file, model->knobs, model->confirmed);
      if (cabinet) open_cabinet(*cabinet);
      chain_.slot.collect();
      chain_.cabinet.collect();
    }
    waiting_.fetch_sub(released + (model ? 1 : 0) + (cabinet ? 1 : 0), std::memory_order_release);
    listener_.background();
  }
}

void Loader::load_now(const juce::File& file, Knobs knobs, bool confirmed) {
  {
    const std::lock_guard hold(state_);
    if (std::exchange(next_model_, std::nullopt)) waiting_.fetch_sub(1);
  }
  const std::lock_guard hold(loading_);
  open(file, knobs, confirmed);
  chain_.slot.collect();
}

void Loader::load_cabinet_now(const juce::File& file) {
  {
    const std::lock_guard hold(state_);
    if (std::exchange(next_cabinet_, std::nullopt)) waiting_.fetch_sub(1);
  }
  const std::lock_guard hold(loading_);
  open_cabinet(file);
  chain_.cabinet.collect();
}

void Loader::open(const juce::File& file, Knobs knobs, bool confirmed) {
  held_.reset();
  if (file == juce::File()) {
    listener_.model_changes(nullptr, knobs);
    take_off();
    return change([](Status& s) {
      s.stage = Stage::empty;
      s.model = juce::File();
      s.info.reset();
      s.cost = 0;
      s.confirmed = false;
      s.refused.reset();
      s.message.clear();
    });
  }
  const auto fail = [&](const std::string& why, const std::optional<Refused>& refused = {}) {
    listener_.model_changes(nullptr, Knobs::keep);
    take_off();
    change([&](Status& s) {
      s.stage = refused ? Stage::refused : Stage::failed;
      s.model = file;
      s.info.reset();
      s.cost = 0;
      s.confirmed = confirmed;
      s.refused = refused;
      s.message = why + "; the sound is dry";
    });
  };
  std::unique_ptr<host::Sound> sound;
  const auto name = file.getFileName().toStdString();
  try {
    if (!file.existsAsFile()) throw Error(file.getFullPathName().toStdString() + " is missing");
    sound = host::Sound::open(file.getFullPathName().toStdString());
  } catch (const host::ProgramNotAllowed& error) {
    return fail(name + " holds a program (" + error.whose + "), which could do harm: allow it only if "
                "you trust where it is from",
                Refused{error.hash, error.whose, knobs, confirmed});
  } catch (const std::exception& error) {
    return fail(error.what());
  }
  change([&](Status& s) {
    s.stage = Stage::loading;
    s.model = file;
    s.info = sound->info();
    s.cost = 0;
    s.confirmed = confirmed;
    s.refused.reset();
    s.message.clear();
  });
  if (rate_ == 0) {
    listener_.model_changes(&sound->info(), knobs);
    held_ = std::move(sound);  // prepare() goes on with it
    return;
  }
  try {
    put_on(std::move(sound), knobs);
  } catch (const std::exception& error) {
    fail(error.what());
  }
}

// Prepares, measures, and plays or holds back.
void Loader::put_on(std::unique_ptr<host::Sound> sound, Knobs knobs) {
  sound->prepare(rate_, max_block_, inputs_);
  if (static_cast<double>(sound->latency()) > Chain::longest_latency * rate_) {
    throw Error(sound->info().name + " lags by more than 6 seconds");
  }
  const double cost = sound->cost(max_block_);
  const bool slow = cost > limit.load();
  // Not earlier: the model before it plays until now, with its own knobs.
  listener_.model_changes(&sound->info(), knobs);
  if (!slow || status().confirmed || offline_.load()) return play(std::move(sound), cost);
  const std::string note = needs(sound->info(), cost) + " and would stutter; the sound is dry";
  hand_over(nullptr);
  held_ = std::move(sound);
  holds_ = true;
  if (offline_.load()) release();  // the render has just begun
  change([&](Status& s) {
    s.stage = Stage::held;
    s.cost = cost;
    s.message = note;
  });
}

// What is prepared and measured.
void Loader::play(std::unique_ptr<host::Sound> sound, double cost) {
  const bool slow = cost > limit.load();
  const bool lent = slow && !status().confirmed;
  const std::string note = slow ? needs(sound->info(), cost) + "; it may stutter" : "";
  for (std::size_t i = 0; i < max_knobs; ++i) sound->set_control(i, listener_.knob(i));
  const float factor = factor_of(sound->info());
  hand_over(std::move(sound));
  level_factor_ = factor;  // not before the slot is busy: see Processor::play
  lent_ = lent;
  if (lent && !offline_.load()) reclaim_ = true;  // the render has just ended
  change([&](Status& s) {
    s.stage = Stage::playing;
    s.cost = cost;
    s.message = note;
  });
}

void Loader::take_off() {
  hand_over(nullptr);
  level_factor_ = 1.0f;
}

void Loader::hand_over(std::unique_ptr<host::Sound> sound) {
  holds_ = false;
  lent_ = false;
  latency_ = sound ? sound->latency() : 0;
  chain_.slot.offer(std::move(sound));
}

void Loader::confirm() {
  const std::lock_guard hold(loading_);
  if (!held_ || rate_ == 0) return;
  change([](Status& s) { s.confirmed = true; });
  play_held();
}

void Loader::allow() {
  const auto asked = status();
  if (!asked.refused) return;
  try {
    host::allow_program(asked.refused->hash, asked.refused->whose);
  } catch (const std::exception& error) {
    return change([&](Status& s) {
      s.message = std::string(error.what()) + ", so the program cannot be allowed; the sound is dry";
    });
  }
  // Should the file hold another program by now, that is refused in its turn.
  load(Wanted{asked.model, asked.refused->knobs, asked.refused->confirmed});
}

void Loader::set_offline(bool offline) noexcept {
  offline_ = offline;
  if (offline) release();
  if (!offline && lent_.load()) {
    reclaim_ = true;
    wake_.notify_all();
  }
}

// Has what is held back played.
void Loader::release() noexcept {
  if (!holds_.load() || release_.load()) return;
  waiting_.fetch_add(1, std::memory_order_release);
  if (release_.exchange(true)) waiting_.fetch_sub(1, std::memory_order_release);
  wake_.notify_all();
}

// The sound belongs to the audio thread by now, so the file is opened once more.
void Loader::hold_back() {
  if (!lent_.load() || offline_.load()) return;
  take_off();
  open(status().model, Knobs::keep, false);
}

void Loader::play_held() {
  if (!held_ || rate_ == 0) return;
  if (holds_) return play(std::move(held_), status().cost);
  try {
    put_on(std::move(held_), Knobs::keep);
  } catch (const std::exception& error) {
    take_off();
    change([&](Status& s) {
      s.stage = Stage::failed;
      s.message = error.what();
    });
  }
}

void Loader::prepare(double rate, std::size_t max_block, std::size_t inputs, std::size_t outputs) {
  const std::lock_guard hold(loading_);
  const bool other = rate != rate_ || max_block != max_block_ || inputs != inputs_;
  const bool first = rate_ == 0;
  rate_ = rate;
  max_block_ = max_block;
  inputs_ = inputs;
  const auto fail = [&](const char* why) {
    change([&](Status& s) {
      s.stage = Stage::failed;
      s.message = std::string(why) + "; the sound is dry";
    });
  };
  try {
    chain_.prepare(rate, max_block, inputs, outputs);
  } catch (const std::exception& error) {
    fail(error.what());
  }
  const auto before = status();
  if (other && !first && before.stage == Stage::playing && before.model.existsAsFile()) {
    // What was fast enough may not be any more.
    return open(before.model, Knobs::keep, before.confirmed);
  }
  if (!held_ || (!other && before.stage == Stage::held && !offline_.load())) return;
  try {
    put_on(std::move(held_), Knobs::keep);
  } catch (const std::exception& error) {
    fail(error.what());
  }
}

void Loader::open_cabinet(const juce::File& file) {
  std::string message;
  try {
    chain_.cabinet.offer(file == juce::File() ? std::nullopt
                                              : std::optional<Impulse>(read_impulse(file)));
  } catch (const std::exception& error) {
    message = std::string(error.what()) + "; no cabinet plays";
    chain_.cabinet.offer(std::nullopt);
  }
  change([&](Status& s) {
    s.cabinet = file;
    s.cabinet_message = message;
  });
}

}  // namespace fxkit::plugin
