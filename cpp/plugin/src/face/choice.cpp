#include "face/choice.h"

#include "face/theme.h"

namespace fxkit::face {

class Choice::Value : public juce::AccessibilityValueInterface {
 public:
  explicit Value(Choice& choice) : choice_(choice) {}
  bool isReadOnly() const override { return false; }
  double getCurrentValue() const override { return choice_.index_; }
  juce::String getCurrentValueAsString() const override { return choice_.value_text(); }
  void setValue(double value) override { choice_.choose(juce::roundToInt(value)); }
  void setValueAsString(const juce::String& text) override {
    if (const int index = choice_.words_.indexOf(text, true); index >= 0) choice_.choose(index);
  }
  AccessibleValueRange getRange() const override {
    return {{0.0, static_cast<double>(choice_.words_.size() - 1)}, 1.0};
  }

 private:
  Choice& choice_;
};

Choice::Choice(juce::RangedAudioParameter& parameter, juce::StringArray words,
               const juce::String& title, const juce::String& description)
    : parameter_(parameter), attachment_(parameter, [this](float value) {
        const float at = parameter_.convertTo0to1(value);
        index_ = juce::roundToInt(at * static_cast<float>(words_.size() - 1));
        repaint();
      }),
      words_(std::move(words)) {
  setTitle(title);
  setDescription(description);
  setTooltip(description);
  setWantsKeyboardFocus(true);
  attachment_.sendInitialUpdate();
}

int Choice::wanted_width() const {
  int widest = 0;
  for (const auto& word : words_) widest = std::max(widest, text_width(font(13), word));
  return (widest + 5 * unit) * words_.size();
}

void Choice::choose(int index) {
  const float at = static_cast<float>(juce::jlimit(0, words_.size() - 1, index)) /
                   static_cast<float>(words_.size() - 1);
  attachment_.setValueAsCompleteGesture(parameter_.convertFrom0to1(at));
}

void Choice::paint(juce::Graphics& g) {
  auto area = getLocalBounds().toFloat();
  g.setColour(colour::ground);
  g.fillRoundedRectangle(area, 7.0f);
  const float width = area.getWidth() / static_cast<float>(words_.size());
  g.setFont(font(13));
  for (int i = 0; i < words_.size(); ++i) {
    const auto cell = area.withX(static_cast<float>(i) * width).withWidth(width);
    if (i == index_) {
      g.setColour(colour::raised.brighter(0.08f));
      g.fillRoundedRectangle(cell.reduced(2.0f), 5.0f);
    }
    g.setColour(i == index_ ? colour::accent : colour::dim);
    g.drawText(words_[i], cell, juce::Justification::centred, true);
  }
  if (hasKeyboardFocus(false)) draw_focus(g, area, 7.0f);
}

void Choice::mouseDown(const juce::MouseEvent& event) {
  choose(event.x * words_.size() / std::max(1, getWidth()));
}

bool Choice::keyPressed(const juce::KeyPress& key) {
  if (key.getModifiers().isCtrlDown() || key.getModifiers().isCommandDown()) return false;
  const int code = key.getKeyCode();
  if (code == juce::KeyPress::leftKey || code == juce::KeyPress::downKey) choose(index_ - 1);
  else if (code == juce::KeyPress::rightKey || code == juce::KeyPress::upKey) choose(index_ + 1);
  else if (code == juce::KeyPress::returnKey) choose((index_ + 1) % words_.size());
  else return false;
  return true;
}

std::unique_ptr<juce::AccessibilityHandler> Choice::createAccessibilityHandler() {
  return std::make_unique<juce::AccessibilityHandler>(
      *this, juce::AccessibilityRole::slider, juce::AccessibilityActions{},
      juce::AccessibilityHandler::Interfaces{std::make_unique<Value>(*this)});
}

}  // namespace fxkit::face
