#include "face/theme.h"

namespace fxkit::face {

juce::Font font(float height, Weight weight) {
#if JUCE_MAJOR_VERSION >= 8
  juce::Font result{juce::FontOptions{height}};
#else
  juce::Font result{height};
#endif
  if (weight == Weight::bold) result.setBold(true);
  return result;
}

int text_width(const juce::Font& type, const juce::String& text) {
  juce::GlyphArrangement glyphs;
  glyphs.addLineOfText(type, text, 0.0f, 0.0f);
  return static_cast<int>(std::ceil(glyphs.getBoundingBox(0, -1, true).getWidth())) + 1;
}

void draw_panel(juce::Graphics& g, juce::Rectangle<float> area, juce::Colour fill) {
  g.setColour(fill);
  g.fillRoundedRectangle(area, corner);
  g.setColour(colour::line.withAlpha(0.6f));
  g.drawRoundedRectangle(area.reduced(0.5f), corner, 1.0f);
}

void draw_focus(juce::Graphics& g, juce::Rectangle<float> area, float radius) {
  g.setColour(colour::accent);
  g.drawRoundedRectangle(area.reduced(0.75f), radius, 1.5f);
}

Theme::Theme() {
  setColourScheme({colour::ground, colour::raised, colour::panel, colour::line, colour::text,
                   colour::raised, colour::text, colour::accent, colour::text});
  setColour(juce::ResizableWindow::backgroundColourId, colour::ground);
  setColour(juce::TextEditor::backgroundColourId, colour::ground);
  setColour(juce::TextEditor::textColourId, colour::text);
  setColour(juce::TextEditor::highlightColourId, colour::accent.withAlpha(0.35f));
  setColour(juce::TextEditor::highlightedTextColourId, colour::text);
  setColour(juce::CaretComponent::caretColourId, colour::accent);
  setColour(juce::ListBox::backgroundColourId, juce::Colours::transparentBlack);
  setColour(juce::ScrollBar::thumbColourId, colour::line);
  setColour(juce::TooltipWindow::backgroundColourId, colour::raised);
  setColour(juce::TooltipWindow::textColourId, colour::text);
  setColour(juce::TooltipWindow::outlineColourId, colour::line);
  setColour(juce::TextButton::buttonOnColourId, colour::accent);
}

void Theme::fillTextEditorBackground(juce::Graphics& g, int width, int height,
                                     juce::TextEditor& field) {
  g.setColour(field.findColour(juce::TextEditor::backgroundColourId));
  g.fillRoundedRectangle(juce::Rectangle<int>(width, height).toFloat(), 6.0f);
}

void Theme::drawTextEditorOutline(juce::Graphics& g, int width, int height,
                                  juce::TextEditor& field) {
  const auto area = juce::Rectangle<int>(width, height).toFloat();
  if (field.hasKeyboardFocus(true)) {
    draw_focus(g, area, 6.0f);
  } else {
    g.setColour(colour::line);
    g.drawRoundedRectangle(area.reduced(0.5f), 6.0f, 1.0f);
  }
}

void Theme::drawScrollbar(juce::Graphics& g, juce::ScrollBar& bar, int x, int y, int width,
                          int height, bool vertical, int thumb_start, int thumb_size, bool over,
                          bool down) {
  auto thumb = vertical ? juce::Rectangle<int>(x, thumb_start, width, thumb_size)
                        : juce::Rectangle<int>(thumb_start, y, thumb_size, height);
  g.setColour(bar.findColour(juce::ScrollBar::thumbColourId).brighter(over || down ? 0.3f : 0.0f));
  g.fillRoundedRectangle(thumb.toFloat().reduced(1.5f), 2.5f);
}

juce::Rectangle<int> Theme::getTooltipBounds(const juce::String& text, juce::Point<int> at,
                                             juce::Rectangle<int> room) {
  const int width = std::min(text_width(font(12.5f), text) + 4 * unit, room.getWidth());
  return juce::Rectangle<int>(at.x + 12, at.y + 16, width, 6 * unit).constrainedWithin(room);
}

void Theme::drawTooltip(juce::Graphics& g, const juce::String& text, int width, int height) {
  const auto area = juce::Rectangle<int>(width, height);
  g.fillAll(colour::raised);
  g.setColour(colour::line);
  g.drawRect(area);
  g.setColour(colour::text);
  g.setFont(font(12.5f));
  g.drawText(text, area.reduced(2 * unit, 0), juce::Justification::centredLeft, true);
}

void Theme::drawCornerResizer(juce::Graphics& g, int width, int height, bool over, bool drag) {
  g.setColour(over || drag ? colour::accent : colour::faint);
  const auto w = static_cast<float>(width), h = static_cast<float>(height);
  for (const float reach : {0.35f, 0.6f}) {
    g.drawLine(w - 3.0f, h - h * reach - 2.0f, w - w * reach - 2.0f, h - 3.0f, 1.2f);
  }
}

}  // namespace fxkit::face
