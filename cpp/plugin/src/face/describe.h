// What a window shows, as data: every visible component with a title, its place, role, value and
// whether the keyboard reaches it. For tests of the face, and to see what a screen reader would say.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

namespace fxkit::face {

// {"size": [width, height], "components": [{"title", "description", "role", "value",
//   "bounds": [x, y, width, height] in pixels of `root`, "enabled", "focusable", "focused"}]}
juce::var describe(juce::Component& root);

}  // namespace fxkit::face
