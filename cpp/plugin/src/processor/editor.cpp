#include "processor/editor.h"

namespace fxkit::plugin {

Editor::Editor(Processor& processor)
    : AudioProcessorEditor(processor), processor_(processor), player_(processor), window_(player_) {
  addAndMakeVisible(window_);
  setResizable(true, false);
  setResizeLimits(face::Window::least_width, face::Window::least_height, 8192, 8192);
  const auto size = processor.window_size();
  setSize(size.x > 0 ? size.x : face::Window::usual_width,
          size.y > 0 ? size.y : face::Window::usual_height);
  is_open_ = true;
}

void Editor::resized() {
  window_.setBounds(getLocalBounds());
  if (is_open_) processor_.set_window_size({getWidth(), getHeight()});
}

}  // namespace fxkit::plugin
