#include "face/meter.h"

#include <cmath>

#include "face/theme.h"
#include "face/words.h"

namespace fxkit::face {
namespace {

constexpr float bottom = -60, top = 6;            // dB
constexpr float fall = 24, held_fall = 18;        // dB per second
constexpr float hold = 1.2f;                      // seconds
constexpr int figures_height = 16, title_height = 18, scale_width = 22;

float to_decibels(float level) { return level > 1e-5f ? 20 * std::log10(level) : -100.0f; }

// The lower half of the scale is squeezed, since the upper 20 dB are what one looks at.
float place(float decibels) {
  const float at = (juce::jlimit(bottom, top, decibels) - bottom) / (top - bottom);
  return at * at * 0.6f + at * 0.4f;
}

}  // namespace

class Meter::Value : public juce::AccessibilityTextValueInterface {
 public:
  explicit Value(Meter& meter) : meter_(meter) {}
  bool isReadOnly() const override { return true; }
  juce::String getCurrentValueAsString() const override {
    return "highest peak " + decibels(meter_.highest_) + " dB";
  }
  void setValueAsString(const juce::String&) override {}

 private:
  Meter& meter_;
};

Meter::Meter(const juce::String& title) {
  setName(title);
  setTitle(title + " level");
  setDescription("Peak level in dB; Enter forgets the highest peak");
  setTooltip("Peak level in dB. Click to forget the highest peak.");
  setWantsKeyboardFocus(true);
}

juce::Rectangle<int> Meter::figures() const {
  return getLocalBounds().withTrimmedBottom(title_height).removeFromTop(figures_height);
}

juce::Rectangle<int> Meter::bar() const {
  auto area = getLocalBounds().withTrimmedBottom(title_height).withTrimmedTop(figures_height + unit);
  return area.withTrimmedRight(scale_width).removeFromRight(std::min(12, area.getWidth() / 3));
}

int Meter::height_of(float decibels) const {
  return juce::roundToInt(place(decibels) * static_cast<float>(bar().getHeight()));
}

void Meter::update(float peak, float seconds) {
  const float now = to_decibels(std::isfinite(peak) ? peak : 0.0f);
  level_ = std::max(now, level_ - fall * seconds);
  hold_left_ -= seconds;
  if (now >= held_) {
    held_ = now;
    hold_left_ = hold;
  } else if (hold_left_ <= 0) {
    held_ = std::max(-100.0f, held_ - held_fall * seconds);
  }
  if (std::isfinite(peak) && peak > highest_) {
    const auto before = decibels(highest_);
    highest_ = peak;
    if (decibels(highest_) != before) repaint(figures());
  }
  const int shown = height_of(level_), shown_held = height_of(held_);
  if (shown == shown_ && shown_held == shown_held_) return;
  shown_ = shown;
  shown_held_ = shown_held;
  repaint(bar().expanded(1));
}

void Meter::forget() {
  highest_ = 0;
  repaint(figures());
}

bool Meter::keyPressed(const juce::KeyPress& key) {
  if (key.getKeyCode() != juce::KeyPress::returnKey) return false;
  forget();
  return true;
}

void Meter::paint(juce::Graphics& g) {
  const auto area = bar();
  g.setFont(font(12));
  g.setColour(highest_ > 1 ? colour::error : colour::text);
  g.drawText(decibels(highest_), figures(), juce::Justification::centred, false);
  g.setColour(colour::dim);
  g.drawText(getName(), getLocalBounds().removeFromBottom(title_height),
             juce::Justification::centred, false);

  g.setColour(colour::raised);
  g.fillRoundedRectangle(area.toFloat(), 3.0f);
  const int full = height_of(0);
  const int level = height_of(level_);
  if (level > 0) {
    juce::Graphics::ScopedSaveState state(g);
    juce::Path shape;
    shape.addRoundedRectangle(area.toFloat(), 3.0f);
    g.reduceClipRegion(shape);
    g.setColour(colour::accent);
    g.fillRect(area.withTop(area.getBottom() - std::min(level, full)));
    if (level > full) {
      g.setColour(colour::error);
      g.fillRect(area.withTop(area.getBottom() - level).withBottom(area.getBottom() - full));
    }
  }
  if (held_ > bottom) {
    g.setColour(held_ > 0 ? colour::error : colour::text);
    g.fillRect(area.getX(), area.getBottom() - height_of(held_), area.getWidth(), 2);
  }

  g.setFont(font(10));
  int last = -100;
  for (const int mark : {0, -6, -12, -18, -24, -36, -48}) {
    const int y = area.getBottom() - height_of(static_cast<float>(mark));
    if (y - last < 14) continue;  // no room in a low window
    last = y;
    g.setColour(mark == 0 ? colour::dim : colour::line);
    g.fillRect(area.getRight() + 3, y, 4, 1);
    g.setColour(colour::faint);
    g.drawText(juce::String(std::abs(mark)), area.getRight() + 8, y - 6, scale_width - 8, 12,
               juce::Justification::centredLeft, false);
  }
  if (hasKeyboardFocus(false)) draw_focus(g, getLocalBounds().toFloat());
}

std::unique_ptr<juce::AccessibilityHandler> Meter::createAccessibilityHandler() {
  return std::make_unique<juce::AccessibilityHandler>(
      *this, juce::AccessibilityRole::progressBar, juce::AccessibilityActions{},
      juce::AccessibilityHandler::Interfaces{std::make_unique<Value>(*this)});
}

}  // namespace fxkit::face
