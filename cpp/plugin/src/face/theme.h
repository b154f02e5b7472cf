// How the face looks: colours, spacing, type and the few shapes that all controls share.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

namespace fxkit::face {

// A dark warm ground, one accent. Red and yellow are kept for what went wrong.
namespace colour {
inline const juce::Colour ground{0xff151210};
inline const juce::Colour panel{0xff1e1a17};
inline const juce::Colour raised{0xff2a2521};
inline const juce::Colour line{0xff3a332d};
inline const juce::Colour text{0xfff3ebe2};
inline const juce::Colour dim{0xffac9f92};
inline const juce::Colour faint{0xff75695e};
inline const juce::Colour accent{0xffff9a52};
inline const juce::Colour error{0xfff2635c};
inline const juce::Colour warning{0xffe9c05a};
}  // namespace colour

// All distances are multiples of this, in logical pixels.
inline constexpr int unit = 4;
inline constexpr int gap = 3 * unit;
inline constexpr float corner = 8.0f;

enum class Weight { plain, bold };

// The system's sans serif.
juce::Font font(float height, Weight = Weight::plain);
// How wide `text` is drawn in `font`, in pixels, rounded up.
int text_width(const juce::Font&, const juce::String& text);

// A rounded box with a hairline around it.
void draw_panel(juce::Graphics&, juce::Rectangle<float>, juce::Colour fill = colour::panel);
// The ring around what has the keyboard.
void draw_focus(juce::Graphics&, juce::Rectangle<float>, float radius = corner);

// Colours and drawing for the parts that come from JUCE: text fields, lists, menus, dialogs.
class Theme : public juce::LookAndFeel_V4 {
 public:
  Theme();

  void fillTextEditorBackground(juce::Graphics&, int width, int height, juce::TextEditor&) override;
  void drawTextEditorOutline(juce::Graphics&, int width, int height, juce::TextEditor&) override;
  void drawScrollbar(juce::Graphics&, juce::ScrollBar&, int x, int y, int width, int height,
                     bool vertical, int thumb_start, int thumb_size, bool over,
                     bool down) override;
  int getDefaultScrollbarWidth() override { return 2 * unit; }
  juce::Rectangle<int> getTooltipBounds(const juce::String&, juce::Point<int> at,
                                        juce::Rectangle<int> room) override;
  void drawTooltip(juce::Graphics&, const juce::String&, int width, int height) override;
  void drawCornerResizer(juce::Graphics&, int width, int height, bool over, bool drag) override;
};

}  // namespace fxkit::face
