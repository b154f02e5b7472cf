// Loads models and cabinets on a thread of its own and hands them to the chain.
//
// A model is opened, prepared for the host's rate and measured. One that takes more than `limit` of
// a block's duration is held back until confirm(); one that holds a program which the user has not
// allowed, until allow(). A file that does not open leaves dry sound; its path is kept, and status()
// says why in one line.
#pragma once

#include <juce_core/juce_core.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "chain/chain.h"
#include "fxkit/host/sound.h"

namespace fxkit::plugin {

class Loader {
 public:
  enum class Stage { empty, loading, playing, held, refused, failed };
  enum class Knobs { keep, reset };

  // A program that may not run, and how its model was to be opened.
  struct Refused {
    std::string hash, whose;
    Knobs knobs;
    bool confirmed;
  };

  struct Status {
    Stage stage = Stage::empty;
    juce::File model;                     // also where it could not be loaded
    std::optional<host::ModelInfo> info;
    double cost = 0;                      // share of a block, measured
    bool confirmed = false;
    std::optional<Refused> refused;       // while the stage is that
    std::string message;                  // about the model; empty: nothing to say
    juce::File cabinet;
    std::string cabinet_message;
  };

  // Asked on the loading thread, just before a model is handed over or held back.
  struct Listener {
    virtual ~Listener() = default;
    virtual void model_changes(const host::ModelInfo*, Knobs) = 0;  // nullptr: to none
    virtual float knob(std::size_t index) = 0;                      // where it stands, 0..1
    virtual void background() = 0;  // about 50 times a second, on the loader's own thread
  };

  Loader(Chain&, Listener&);
  ~Loader();

  // Prepares the chain and all that is loaded for it, in this thread. Not while process() runs.
  void prepare(double rate, std::size_t max_block, std::size_t inputs, std::size_t outputs);

  // In the background; of several that wait the last counts.
  void load(const juce::File&);
  void load_cabinet(const juce::File&);      // no file: none
  // Now, in this thread; what waits is forgotten. Not on the audio thread.
  void load_now(const juce::File&, Knobs, bool confirmed);
  void load_cabinet_now(const juce::File&);
  void confirm();                            // plays what was held back
  void allow();  // lets the program run that was refused, now and from now on, and loads it

  // A render that is not in real time plays what is slow as well, also what is held back already:
  // busy() until that is handed over. Afterwards it is held back again. Any thread.
  void set_offline(bool offline) noexcept;

  Status status() const;                     // not on the audio thread
  // Rises when status() changes. Any thread.
  unsigned version() const noexcept { return version_.load(std::memory_order_acquire); }
  // Whether something waits to be loaded. Any thread.
  bool busy() const noexcept { return waiting_.load(std::memory_order_acquire) > 0; }
  // Of what was handed over last, heard or not yet, in samples of the host. Any thread.
  std::size_t latency() const noexcept { return latency_.load(std::memory_order_relaxed); }
  // -18 LUFS against the loudness of the model that plays; 1 where it is not known. Any thread.
  float level_factor() const noexcept { return level_factor_.load(std::memory_order_relaxed); }

  std::atomic<double> limit{0.7};

 private:
  struct Wanted {
    juce::File file;
    Knobs knobs = Knobs::reset;
    bool confirmed = false;
  };

  void load(const Wanted&);
  void work();
  void open(const juce::File&, Knobs, bool confirmed);
  void put_on(std::unique_ptr<host::Sound>, Knobs);
  void play(std::unique_ptr<host::Sound>, double cost);
  void hand_over(std::unique_ptr<host::Sound>);
  void play_held();
  void release() noexcept;
  void hold_back();
  void take_off();
  void open_cabinet(const juce::File&);
  void change(const std::function<void(Status&)>&);

  Chain& chain_;
  Listener& listener_;

  std::mutex loading_;                       // one loads at a time; guards the next lines
  double rate_ = 0;
  std::size_t max_block_ = 0, inputs_ = 0;
  std::unique_ptr<host::Sound> held_;        // too slow, or no rate is known yet

  mutable std::mutex state_;                 // guards the next lines, for moments
  Status status_;
  std::optional<Wanted> next_model_;
  std::optional<juce::File> next_cabinet_;
  std::condition_variable wake_;
  bool stop_ = false;

  std::atomic<int> waiting_{0};
  std::atomic<unsigned> version_{0};
  std::atomic<std::size_t> latency_{0};
  std::atomic<float> level_factor_{1};
  std::atomic<bool> offline_{false};
  std::atomic<bool> holds_{false}, release_{false};  // something slow; and it should play after all
  std::atomic<bool> lent_{false}, reclaim_{false};   // it plays as nobody listens; and now they do
  std::thread thread_;
};

}  // namespace fxkit::plugin
