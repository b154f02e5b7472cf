// A dial for one parameter: its name above, its value below.
//
// Mouse: drag up or right; the wheel; Shift makes both ten times finer; a double click resets; a
// click on the value lets one type it. Keys: arrows (with Shift fine), Page Up and Down, Home, End,
// Delete resets, Enter or a digit begins to type.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

namespace fxkit::face {

class Knob : public juce::Component, public juce::SettableTooltipClient {
 public:
  Knob(juce::RangedAudioParameter&, const juce::String& name, const juce::String& description);
  ~Knob() override;

  // Another name for the same parameter: a model's knobs take theirs from the model.
  void set_name(const juce::String& name);
  juce::String value_text() const;
  void reset();

  void paint(juce::Graphics&) override;
  void resized() override;
  void enablementChanged() override { repaint(); }
  void mouseEnter(const juce::MouseEvent&) override { repaint(); }
  void mouseExit(const juce::MouseEvent&) override { repaint(); }
  void mouseDown(const juce::MouseEvent&) override;
  void mouseDrag(const juce::MouseEvent&) override;
  void mouseUp(const juce::MouseEvent&) override;
  void mouseDoubleClick(const juce::MouseEvent&) override;
  void mouseWheelMove(const juce::MouseEvent&, const juce::MouseWheelDetails&) override;
  bool keyPressed(const juce::KeyPress&) override;
  void focusGained(FocusChangeType) override { repaint(); }
  void focusLost(FocusChangeType) override { repaint(); }
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;

 private:
  class Value;

  float position() const;                       // 0..1
  void move_by_steps(float steps);              // as one gesture
  void set_plain(float value);                  // in the parameter's unit, as one gesture
  void type(const juce::String& first);
  void finish_typing(bool take);
  juce::Rectangle<int> value_area() const;

  juce::RangedAudioParameter& parameter_;
  juce::ParameterAttachment attachment_;
  std::unique_ptr<juce::TextEditor> field_;
  float value_ = 0;
  float step_ = 0;
  float drag_ = 0;       // where the drag is, 0..1; finer than the parameter's steps
  float wheel_ = 0;      // what a smooth wheel has turned and has not been used yet
  bool dragging_ = false;
  juce::Point<float> last_;
};

}  // namespace fxkit::face
