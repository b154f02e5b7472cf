// The window in the frame that a host gives it.
#pragma once

#include "face/window.h"
#include "processor/player.h"

namespace fxkit::plugin {

class Editor : public juce::AudioProcessorEditor {
 public:
  explicit Editor(Processor&);

  void resized() override { window_.setBounds(getLocalBounds()); }

 private:
  WindowPlayer player_;
  face::Window window_;
};

}  // namespace fxkit::plugin
