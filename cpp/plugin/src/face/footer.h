// The last line of the window: what happens, what went wrong, and a question that wants an answer.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>

#include "face/button.h"

namespace fxkit::face {

enum class Tone { calm, busy, warning, error };

class Footer : public juce::Component {
 public:
  Footer();

  // `answer`: what the button says; empty: there is no question.
  void show(Tone, const juce::String& message, const juce::String& answer = {});
  juce::String message() const { return message_; }

  std::function<void()> on_answer;

  void paint(juce::Graphics&) override;
  void resized() override;
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;

 private:
  Tone tone_ = Tone::calm;
  juce::String message_;
  Button answer_;
};

}  // namespace fxkit::face
