// The top of the window: which model plays, what is known of it, and the buttons that choose another.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>
#include <optional>
#include <vector>

#include "face/button.h"
#include "fxkit/host/model_info.h"

namespace fxkit::face {

class Header : public juce::Component {
 public:
  Header();

  // `latency`: seconds by which the output lags, all in all. No model: nullopt.
  void show(const std::optional<host::ModelInfo>&, double latency);
  // Room for the labelled facts, or for one line of them.
  int wanted_height(bool roomy) const { return roomy ? 112 : 80; }
  // The button that opens the list is needed where the list does not fit beside the knobs.
  void show_list_button(bool);
  void show_audio_button(bool);

  Button previous, next, load, list, audio, bypass;

  void paint(juce::Graphics&) override;
  void resized() override;
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;

 private:
  struct Fact {
    juce::String label, value;
    juce::String alone;  // what it says without its label
  };

  juce::String name_, subject_;
  std::vector<Fact> facts_;
  juce::Rectangle<int> text_;
};

}  // namespace fxkit::face
