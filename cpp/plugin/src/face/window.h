// The whole face: header, list of models, board, meters, footer. It grows with its size and is laid
// out anew where there is little room.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>
#include <memory>

#include "face/board.h"
#include "face/browser.h"
#include "face/footer.h"
#include "face/header.h"
#include "face/load_bar.h"
#include "face/meter.h"
#include "face/player.h"
#include "face/theme.h"

namespace fxkit::face {

class Window : public juce::Component, public juce::FileDragAndDropTarget, private juce::Timer {
 public:
  static constexpr int least_width = 640, least_height = 400;
  static constexpr int usual_width = 960, usual_height = 580;

  explicit Window(Player&);
  ~Window() override;

  // A line of the program around the window, which has no other place to say things. Shown while
  // neither the player nor the window has something to say that matters more. Empty: none.
  void note(Tone, const juce::String& message, const juce::String& question = {},
            std::function<void()> on_answer = {});
  // Shows a button for the sound card; Space becomes a key for bypass, which belongs to a host
  // elsewhere.
  void stand_alone(std::function<void()> on_audio);
  // A model, a cabinet or a folder of models; what it is decides where it goes.
  void open(const juce::File&);
  // Reads the player's state now; a timer does it thirty times a second.
  void refresh();

  void paint(juce::Graphics&) override;
  void resized() override;
  bool keyPressed(const juce::KeyPress&) override;
  bool isInterestedInFileDrag(const juce::StringArray&) override { return true; }
  void fileDragEnter(const juce::StringArray&, int x, int y) override;
  void fileDragExit(const juce::StringArray&) override;
  void filesDropped(const juce::StringArray&, int x, int y) override;

 private:
  class Drop;

  void timerCallback() override { refresh(); }
  void show_line();
  void lay_out(juce::Rectangle<int>);
  void toggle_list();
  void choose(const juce::String& title, const juce::File& start, const juce::String& patterns,
              bool folder, std::function<void(const juce::File&)> use);

  Player& player_;
  Theme theme_;
  juce::Component content_;  // drawn larger in a larger window
  Header header_;
  Browser browser_;
  Board board_;
  juce::Component meters_;
  Meter input_{"In"}, output_{"Out"};
  LoadBar load_;
  Footer footer_;
  std::unique_ptr<Drop> drop_;
  juce::ParameterAttachment bypass_;
  std::unique_ptr<juce::FileChooser> chooser_;
  juce::TooltipWindow tooltips_{this, 900};

  View shown_;
  struct Line {
    Tone tone = Tone::calm;
    juce::String message, question;
    std::function<void()> on_answer;
  };
  Line note_;
  juce::String slip_;  // what the window itself refused; until the next try
  juce::uint32 last_tick_ = 0;
  bool alone_ = false, docked_ = true, drawer_ = false;
};

}  // namespace fxkit::face
