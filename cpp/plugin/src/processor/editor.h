// The window in the frame that a host gives it.
#pragma once

#include "face/window.h"
#include "processor/player.h"

namespace fxkit::plugin {

class Editor : public juce::AudioProcessorEditor {
 public:
  explicit Editor(Processor&);

  void resized() override;

 private:
  Processor& processor_;
  WindowPlayer player_;
  face::Window window_;
  bool is_open_ = false;  // sizes before that are not the user's
};

}  // namespace fxkit::plugin
