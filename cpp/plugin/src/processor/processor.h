// The plug-in as a host sees it: parameters, state, buses and latency around the chain.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <array>
#include <atomic>
#include <string>
#include <vector>

#include "chain/chain.h"
#include "loader/loader.h"
#include "processor/parameters.h"

namespace fxkit::plugin {

class Processor : public juce::AudioProcessor,
                  private Loader::Listener,
                  private juce::AudioProcessorParameter::Listener,
                  private juce::Timer {
 public:
  Processor();
  ~Processor() override;

  // For the window and for tests. Message thread, but where it says "any thread".
  Parameters& parameters() { return parameters_; }
  Loader& loader() { return loader_; }
  Chain& chain() { return chain_; }
  juce::File folder() const;
  void set_folder(const juce::File&);
  juce::Point<int> window_size() const;   // 0, 0: the usual one. Any thread.
  void set_window_size(juce::Point<int>);
  void load(const juce::File& model);     // in the background
  void step(int by);                      // to the models before and after this one in the folder
  std::string message() const;            // one line, or empty
  float load_share() const noexcept { return load_.load(std::memory_order_relaxed); }  // any thread
  double latency_seconds() const;         // any thread

  const juce::String getName() const override { return "fxkit"; }
  bool acceptsMidi() const override { return false; }
  bool producesMidi() const override { return false; }
  double getTailLengthSeconds() const override;
  bool isBusesLayoutSupported(const BusesLayout&) const override;

  void prepareToPlay(double rate, int max_block) override;
  void releaseResources() override {}
  void reset() override {
    level_is_old_ = false;
    chain_.reset();
  }
  void processBlock(juce::AudioBuffer<float>&, juce::MidiBuffer&) override;
  void processBlockBypassed(juce::AudioBuffer<float>&, juce::MidiBuffer&) override;
  void setNonRealtime(bool offline) noexcept override;
  juce::AudioProcessorParameter* getBypassParameter() const override { return parameters_.bypass; }

  // Program 0 is whatever is set; the others are the demo models that are installed.
  int getNumPrograms() override { return static_cast<int>(presets_.size()) + 1; }
  int getCurrentProgram() override { return program_; }
  void setCurrentProgram(int) override;
  const juce::String getProgramName(int) override;
  void changeProgramName(int, const juce::String&) override {}

  void getStateInformation(juce::MemoryBlock&) override;
  void setStateInformation(const void*, int size) override;

  juce::AudioProcessorEditor* createEditor() override;
  bool hasEditor() const override { return true; }

 private:
  void model_changes(const host::ModelInfo*, Loader::Knobs) override;
  float knob(std::size_t index) override;
  void background() override;
  void parameterValueChanged(int index, float value) override;  // of the triggers; any thread
  void parameterGestureChanged(int, bool) override {}
  void timerCallback() override;

  void play(juce::AudioBuffer<float>&, bool bypassed);
  void turn_knobs() noexcept;
  void say(const std::string& message);
  void report_latency();

  Parameters parameters_{*this};
  Chain chain_;
  std::vector<juce::File> presets_;
  std::atomic<int> program_{0};
  std::atomic<int> wanted_program_{0};  // 0: none
  bool startup_wins_ = false;  // the environment's model, over what the standalone program stored

  mutable juce::CriticalSection lock_;
  juce::File folder_;               // under lock_
  juce::Point<int> window_size_;    // under lock_
  std::string message_;             // under lock_: about the state

  std::array<float, Parameters::knob_count> sent_{};  // audio thread
  unsigned seen_ = 0;                                 // audio thread: the loader's version
  float level_ = 1;                                   // audio thread: of the model that is heard
  std::atomic<bool> level_is_old_{false};             // false: take the newest, whatever is heard
  std::atomic<int> steps_{0};         // that the host asks for: how far
  std::atomic<int> stepping_{0};      // how many of them, and of programs, are not done
  std::atomic<float> load_{0};
  std::atomic<double> rate_{0};
  unsigned shown_ = 0;              // message thread: the loader's version
  Loader loader_{chain_, *this};    // last: its thread uses all of the above
};

}  // namespace fxkit::plugin
