// A player that plays nothing: it holds the parameters and remembers what the face asked for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "face/player.h"

namespace fxkit::face {

class FakePlayer : public Player {
 public:
  explicit FakePlayer(int knobs = 0) {
    host::ModelInfo info;
    info.name = "JCM800 heavy";
    info.gear = "Marshall JCM800, gain at 8";
    info.author = "Ada";
    info.task = "distort";
    info.format = "fxkit";
    info.sample_rate = 44100;
    info.esr = 0.0062;
    for (int i = 0; i < knobs; ++i) {
      info.knobs.push_back({i == 0 ? "Gain" : i == 1 ? "Presence" : "Knob " + std::to_string(i + 1),
                            0.5f});
    }
    shown.model = info;
  }

  Parameters parameters() override {
    Parameters all{input, gate, bass, middle, treble, mix, output, level, {}};
    for (auto& knob : knobs) all.model.push_back(knob.get());
    return all;
  }
  juce::RangedAudioParameter& bypass() override { return bypass_; }
  View view() override { return shown; }
  Levels take_levels() override { return levels; }
  void load(const juce::File& file) override { loaded = file; }
  void step(int by) override { stepped += by; }
  void confirm() override { ++confirmed; }
  void load_cabinet(const juce::File& file) override { cabinet = file; }
  void clear_cabinet() override { ++cleared; }
  void set_folder(const juce::File& folder) override { shown.folder = folder; }

  View shown;
  Levels levels;
  juce::File loaded, cabinet;
  int stepped = 0, confirmed = 0, cleared = 0;

  using Float = juce::AudioParameterFloat;
  static juce::AudioParameterFloatAttributes unit_of(const char* label) {
    return juce::AudioParameterFloatAttributes().withLabel(label).withStringFromValueFunction(
        [](float value, int) { return juce::String(value, 1); });
  }
  Float input{{"input", 1}, "Input", {-24, 24, 0.01f}, 0, unit_of("dB")};
  Float gate{{"gate", 1}, "Gate", {-100, 0, 0.1f}, -100, unit_of("dB")};
  Float bass{{"bass", 1}, "Bass", {-12, 12, 0.01f}, 0, unit_of("dB")};
  Float middle{{"middle", 1}, "Middle", {-12, 12, 0.01f}, 3, unit_of("dB")};
  Float treble{{"treble", 1}, "Treble", {-12, 12, 0.01f}, -2, unit_of("dB")};
  Float mix{{"mix", 1}, "Mix", {0, 100, 0.1f}, 100, unit_of("%")};
  Float output{{"output", 1}, "Output", {-24, 24, 0.01f}, 0, unit_of("dB")};
  juce::AudioParameterBool level{{"level", 1}, "Level", true};
  std::vector<std::unique_ptr<Float>> knobs = make_knobs();

 private:
  static std::vector<std::unique_ptr<Float>> make_knobs() {
    std::vector<std::unique_ptr<Float>> all;
    for (int i = 0; i < 8; ++i) {
      const auto name = "knob" + juce::String(i + 1);
      all.push_back(std::make_unique<Float>(juce::ParameterID{name, 1}, name,
                                            juce::NormalisableRange<float>{0, 10, 0.01f}, 5.0f,
                                            unit_of("")));
    }
    return all;
  }

  juce::AudioParameterBool bypass_{{"bypass", 1}, "Bypass", false};
};

}  // namespace fxkit::face
