#include "face/load_bar.h"

#include "face/theme.h"
#include "face/words.h"

namespace fxkit::face {

LoadBar::LoadBar() {
  setTitle("CPU");
  setDescription("The share of each block's duration that playing takes");
  setTooltip("The share of each block's duration that playing takes");
  update(0);
}

void LoadBar::update(double share) {
  const double rate = share > share_ ? 0.3 : 0.05;
  share_ += rate * (juce::jlimit(0.0, 9.99, share) - share_);
  const auto text = percent(share_);
  if (text == shown_) return;
  shown_ = text;
  setHelpText(text);
  repaint();
}

void LoadBar::paint(juce::Graphics& g) {
  auto area = getLocalBounds();
  auto words = area.removeFromTop(18);
  g.setFont(font(12));
  g.setColour(colour::dim);
  g.drawText("CPU", words.removeFromLeft(32), juce::Justification::centredLeft, false);
  const auto ink = share_ > 0.9 ? colour::error : share_ > 0.6 ? colour::warning : colour::accent;
  g.setColour(share_ > 0.6 ? ink : colour::text);
  g.drawText(shown_, words, juce::Justification::centredRight, false);
  const auto bar = area.removeFromTop(4).toFloat();
  g.setColour(colour::raised);
  g.fillRoundedRectangle(bar, 2.0f);
  g.setColour(ink);
  g.fillRoundedRectangle(bar.withWidth(bar.getWidth() * static_cast<float>(std::min(1.0, share_))),
                         2.0f);
}

std::unique_ptr<juce::AccessibilityHandler> LoadBar::createAccessibilityHandler() {
  return std::make_unique<juce::AccessibilityHandler>(*this, juce::AccessibilityRole::staticText);
}

}  // namespace fxkit::face
