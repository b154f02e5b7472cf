#include "face/button.h"

#include "face/theme.h"

namespace fxkit::face {
namespace {

// Signs are drawn in a square of side 1.
juce::Path path_of(Sign sign) {
  juce::Path path;
  switch (sign) {
    case Sign::previous:
      path.startNewSubPath(0.62f, 0.2f);
      path.lineTo(0.32f, 0.5f);
      path.lineTo(0.62f, 0.8f);
      break;
    case Sign::next:
      path.startNewSubPath(0.38f, 0.2f);
      path.lineTo(0.68f, 0.5f);
      path.lineTo(0.38f, 0.8f);
      break;
    case Sign::power:
      path.addCentredArc(0.5f, 0.53f, 0.33f, 0.33f, 0, 0.7f,
                         juce::MathConstants<float>::twoPi - 0.7f, true);
      path.startNewSubPath(0.5f, 0.1f);
      path.lineTo(0.5f, 0.48f);
      break;
    case Sign::list:
      for (const float y : {0.25f, 0.5f, 0.75f}) {
        path.startNewSubPath(0.15f, y);
        path.lineTo(0.85f, y);
      }
      break;
    case Sign::cross:
      path.startNewSubPath(0.25f, 0.25f);
      path.lineTo(0.75f, 0.75f);
      path.startNewSubPath(0.75f, 0.25f);
      path.lineTo(0.25f, 0.75f);
      break;
    case Sign::none: break;
  }
  return path;
}

}  // namespace

Button::Button(const juce::String& title, const juce::String& description, Kind kind, Sign sign)
    : juce::Button(title), kind_(kind), sign_(sign) {
  setButtonText(title);
  setTitle(title);
  setDescription(description);
  setTooltip(description);
  setWantsKeyboardFocus(true);
  setMouseClickGrabsKeyboardFocus(false);
  setClickingTogglesState(kind == Kind::toggle);
}

void Button::set_words(const juce::String& words) {
  setButtonText(words);
  setTitle(words);
}

int Button::wanted_width() const {
  return sign_ == Sign::none ? text_width(font(13), getButtonText()) + 6 * unit : 8 * unit;
}

void Button::paintButton(juce::Graphics& g, bool over, bool down) {
  const auto area = getLocalBounds().toFloat();
  const bool lit = kind_ == Kind::accent || getToggleState();
  auto fill = lit ? colour::accent : colour::raised;
  if (down) fill = fill.darker(0.15f);
  else if (over) fill = fill.brighter(0.12f);
  if (!isEnabled()) fill = fill.withMultipliedAlpha(0.4f);
  g.setColour(fill);
  g.fillRoundedRectangle(area.reduced(1.0f), 6.0f);

  const auto ink = (lit ? colour::ground : colour::text).withMultipliedAlpha(isEnabled() ? 1 : 0.4f);
  g.setColour(ink);
  if (sign_ == Sign::none) {
    g.setFont(font(13, lit ? Weight::bold : Weight::plain));
    g.drawText(getButtonText(), getLocalBounds(), juce::Justification::centred, true);
  } else {
    const float side = std::min(area.getWidth(), area.getHeight()) * 0.5f;
    const auto square = juce::Rectangle<float>(side, side).withCentre(area.getCentre());
    g.strokePath(path_of(sign_),
                 juce::PathStrokeType(1.8f, juce::PathStrokeType::curved,
                                      juce::PathStrokeType::rounded),
                 juce::AffineTransform::scale(side).translated(square.getX(), square.getY()));
  }
  if (hasKeyboardFocus(false)) {
    // On an accent button an accent ring would not be seen.
    if (lit) {
      g.setColour(colour::text);
      g.drawRoundedRectangle(area.reduced(0.75f), 7.0f, 1.5f);
    } else {
      draw_focus(g, area, 7.0f);
    }
  }
}

void Button::focusGained(FocusChangeType cause) {
  juce::Button::focusGained(cause);
  repaint();
}

void Button::focusLost(FocusChangeType cause) {
  juce::Button::focusLost(cause);
  repaint();
}

}  // namespace fxkit::face
