// The middle of the window: the model's own knobs, then those that every model has, the cabinet and
// the level. Groups stand in the order in which the sound goes through them where there is room.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>
#include <vector>

#include "face/cabinet.h"
#include "face/choice.h"
#include "face/knob.h"
#include "fxkit/host/model_info.h"

namespace fxkit::face {

// The parameters that the board turns.
struct Parameters {
  juce::RangedAudioParameter &input, &gate, &bass, &middle, &treble, &mix, &output, &level;
  std::vector<juce::RangedAudioParameter*> model;  // as many as a model may have knobs
};

class Board : public juce::Component {
 public:
  explicit Board(const Parameters&);

  // Shows as many of the model's knobs as there are, by their names.
  void show(const std::vector<host::Knob>&);

  Cabinet cabinet;

  void paint(juce::Graphics&) override;
  void resized() override;
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;

 private:
  using Group = std::vector<Knob*>;
  using Row = std::vector<Group>;

  static int dial_size(juce::Rectangle<int>, const std::vector<Row>&);
  // Lays a panel of knobs out and remembers it for painting.
  void place(juce::Rectangle<int>, const std::vector<Row>&);

  const std::vector<juce::RangedAudioParameter*> model_parameters_;
  juce::StringArray model_names_;
  std::vector<std::unique_ptr<Knob>> model_;
  Knob input_, gate_, bass_, middle_, treble_, mix_, output_;
  Choice level_;
  std::vector<juce::Rectangle<int>> panels_, rules_;
};

}  // namespace fxkit::face
