// A button: words, or a sign drawn as a path. A switch keeps its state and shows it in the accent.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

namespace fxkit::face {

enum class Sign { none, previous, next, power, list, cross };

class Button : public juce::Button {
 public:
  enum class Kind { plain, accent, toggle };

  // `title` is what a screen reader says; it is drawn too if there is no sign.
  Button(const juce::String& title, const juce::String& description, Kind = Kind::plain,
         Sign = Sign::none);

  void set_words(const juce::String& words);
  // How wide it wants to be.
  int wanted_width() const;

 private:
  void paintButton(juce::Graphics&, bool over, bool down) override;
  void focusGained(FocusChangeType) override;
  void focusLost(FocusChangeType) override;

  const Kind kind_;
  const Sign sign_;
};

}  // namespace fxkit::face
