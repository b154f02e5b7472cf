#include "face/describe.h"

namespace fxkit::face {
namespace {

juce::String role_name(juce::AccessibilityRole role) {
  using Role = juce::AccessibilityRole;
  switch (role) {
    case Role::button: return "button";
    case Role::toggleButton: return "toggle";
    case Role::slider: return "slider";
    case Role::editableText: return "text field";
    case Role::staticText: return "text";
    case Role::list: return "list";
    case Role::listItem: return "list item";
    case Role::progressBar: return "meter";
    case Role::group: return "group";
    default: return "other";
  }
}

void collect(juce::Component& component, juce::Component& root, juce::Array<juce::var>& all) {
  if (!component.isVisible()) return;
  // JUCE gives its own parts (a list's viewport, a scroll bar) no title.
  const auto* handler = component.getAccessibilityHandler();
  const auto title = handler ? handler->getTitle() : component.getTitle();
  if (title.isNotEmpty() || component.getWantsKeyboardFocus()) {
    auto* one = new juce::DynamicObject;
    const auto bounds = root.getLocalArea(&component, component.getLocalBounds());
    one->setProperty("title", title);
    one->setProperty("description", component.getDescription());
    if (handler) {
      one->setProperty("role", role_name(handler->getRole()));
      if (auto* value = handler->getValueInterface()) {
        one->setProperty("value", value->getCurrentValueAsString());
      }
      if (handler->getRole() == juce::AccessibilityRole::toggleButton) {
        one->setProperty("value", handler->getCurrentState().isChecked() ? "on" : "off");
      }
    }
    one->setProperty("bounds", juce::Array<juce::var>{bounds.getX(), bounds.getY(),
                                                      bounds.getWidth(), bounds.getHeight()});
    one->setProperty("enabled", component.isEnabled());
    one->setProperty("focusable", component.getWantsKeyboardFocus() && component.isShowing());
    one->setProperty("focused", component.hasKeyboardFocus(false));
    all.add(juce::var(one));
  }
  for (auto* child : component.getChildren()) collect(*child, root, all);
}

}  // namespace

juce::var describe(juce::Component& root) {
  juce::Array<juce::var> all;
  collect(root, root, all);
  auto* result = new juce::DynamicObject;
  result->setProperty("size", juce::Array<juce::var>{root.getWidth(), root.getHeight()});
  result->setProperty("components", all);
  return juce::var(result);
}

}  // namespace fxkit::face
