#include "face/cabinet.h"

#include "face/theme.h"

namespace fxkit::face {

Cabinet::Cabinet()
    : load("Load IR...", "Choose the cabinet: an impulse response, a WAV file"),
      clear("Remove cabinet", "Play without a cabinet", Button::Kind::plain, Sign::cross) {
  setTitle("Cabinet");
  setDescription("off");
  addAndMakeVisible(load);
  addChildComponent(clear);
}

void Cabinet::show(const juce::String& file_name) {
  if (file_name == name_) return;
  name_ = file_name;
  setDescription(name_.isEmpty() ? "off" : name_);
  clear.setVisible(name_.isNotEmpty());
  resized();
  repaint();
}

void Cabinet::resized() {
  auto area = getLocalBounds();
  const auto take = [&](Button& button) {
    if (!button.isVisible()) return;
    button.setBounds(area.removeFromRight(button.wanted_width()).withSizeKeepingCentre(
        button.wanted_width(), 8 * unit));
    area.removeFromRight(unit + 2);
  };
  take(load);
  take(clear);
  words_ = area;
}

void Cabinet::paint(juce::Graphics& g) {
  auto area = words_;
  g.setFont(font(12));
  g.setColour(colour::dim);
  g.drawText("Cabinet", area.removeFromLeft(56), juce::Justification::centredLeft, false);
  g.setFont(font(13));
  g.setColour(name_.isEmpty() ? colour::faint : colour::text);
  g.drawText(name_.isEmpty() ? juce::String("off") : name_, area, juce::Justification::centredLeft,
             true);
}

std::unique_ptr<juce::AccessibilityHandler> Cabinet::createAccessibilityHandler() {
  return std::make_unique<juce::AccessibilityHandler>(*this, juce::AccessibilityRole::group);
}

}  // namespace fxkit::face
