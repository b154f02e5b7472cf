// Two or more words side by side, of which one is chosen: a parameter with few values.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

namespace fxkit::face {

class Choice : public juce::Component, public juce::SettableTooltipClient {
 public:
  Choice(juce::RangedAudioParameter&, juce::StringArray words, const juce::String& title,
         const juce::String& description);

  int wanted_width() const;
  juce::String value_text() const { return words_[index_]; }
  void choose(int index);

  void paint(juce::Graphics&) override;
  void mouseDown(const juce::MouseEvent&) override;
  bool keyPressed(const juce::KeyPress&) override;
  void focusGained(FocusChangeType) override { repaint(); }
  void focusLost(FocusChangeType) override { repaint(); }
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;

 private:
  class Value;

  juce::RangedAudioParameter& parameter_;
  juce::ParameterAttachment attachment_;
  const juce::StringArray words_;
  int index_ = 0;
};

}  // namespace fxkit::face
