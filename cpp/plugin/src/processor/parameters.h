// What a host can turn and automate: names, ranges, units, texts. docs/plugin.md lists them.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <array>
#include <vector>

#include "chain/chain.h"
#include "fxkit/host/model_info.h"

namespace fxkit::plugin {

// A knob of the model: its name and its default are the model's. The model sees a tenth of it.
class KnobParameter : public juce::AudioParameterFloat {
 public:
  static constexpr float highest = 10;

  KnobParameter(const juce::ParameterID&, const juce::String& own_name);

  KnobParameter& operator=(float value) {
    AudioParameterFloat::operator=(value);
    return *this;
  }

  // No knob of this number: the name becomes its own again. Any thread but the audio thread.
  void describe(const host::Knob*);

  juce::String getName(int longest) const override;
  float getDefaultValue() const override { return standard_.load(std::memory_order_relaxed); }

 private:
  const juce::String own_name_;
  mutable juce::CriticalSection lock_;
  juce::String name_;
  std::atomic<float> standard_{0.5f};
};

struct Parameters {
  static constexpr std::size_t knob_count = 8;

  // Adds all to the processor, which owns them.
  explicit Parameters(juce::AudioProcessor&);

  Settings settings(float level_factor) const;
  void show_knobs(const host::ModelInfo*);  // nullptr: there is no model
  void reset_knobs();                       // to the model's defaults
  void reset();                             // all of them

  juce::AudioParameterFloat *input, *gate, *bass, *middle, *treble, *mix, *output;
  juce::AudioParameterChoice* level;
  juce::AudioParameterBool *bypass, *previous, *next;
  std::array<KnobParameter*, knob_count> knobs;

  std::vector<juce::RangedAudioParameter*> stored;  // all that a session restores
};

}  // namespace fxkit::plugin
