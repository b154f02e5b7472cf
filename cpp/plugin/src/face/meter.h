// A level meter with a decibel scale: the level, a held peak, and the highest peak in figures, which
// turns red above full scale. A click, or Enter, forgets the highest peak.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

namespace fxkit::face {

class Meter : public juce::Component, public juce::SettableTooltipClient {
 public:
  explicit Meter(const juce::String& title);

  // The highest peak since the last call, linear, 1 = full scale; `seconds`: how long ago that was.
  void update(float peak, float seconds);

  void paint(juce::Graphics&) override;
  void resized() override { shown_ = -1; }
  void mouseDown(const juce::MouseEvent&) override { forget(); }
  bool keyPressed(const juce::KeyPress&) override;
  void focusGained(FocusChangeType) override { repaint(); }
  void focusLost(FocusChangeType) override { repaint(); }
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;

 private:
  class Value;

  void forget();
  juce::Rectangle<int> bar() const;
  juce::Rectangle<int> figures() const;
  int height_of(float decibels) const;  // pixels above the bottom of the bar

  float level_ = -100, held_ = -100;  // dB
  float hold_left_ = 0;               // seconds until the held peak falls
  float highest_ = 0;                 // linear
  int shown_ = -1, shown_held_ = -1;  // pixels
};

}  // namespace fxkit::face
