#include "processor/editor.h"

namespace fxkit::plugin {

Editor::Editor(Processor& processor)
    : AudioProcessorEditor(processor), player_(processor), window_(player_) {
  addAndMakeVisible(window_);
  setResizable(true, false);
  setResizeLimits(face::Window::least_width, face::Window::least_height, 8192, 8192);
  setSize(face::Window::usual_width, face::Window::usual_height);
}

}  // namespace fxkit::plugin
