// What the face needs of whatever plays: the only thing that it knows about the rest of the plug-in.
#pragma once

#include <juce_core/juce_core.h>

#include <optional>

#include "face/board.h"
#include "face/footer.h"
#include "fxkit/host/model_info.h"

namespace fxkit::face {

// What there is to show. Cheap to ask for, thirty times a second.
struct View {
  std::optional<host::ModelInfo> model;
  double latency = 0;       // seconds, all in all
  juce::File playing;       // the model's file, also where it could not be loaded
  juce::File folder;        // of models
  juce::String cabinet;     // name of the impulse response; empty: none
  Tone tone = Tone::calm;
  juce::String message;
  juce::String question;    // what the button says that confirms it; empty: there is none
};

struct Levels {
  float input = 0, output = 0;  // the highest peaks since the last call, linear
  double load = 0;              // share of the block's duration
};

// All calls on the message thread.
class Player {
 public:
  virtual ~Player() = default;

  virtual Parameters parameters() = 0;
  virtual juce::RangedAudioParameter& bypass() = 0;
  virtual View view() = 0;
  virtual Levels take_levels() = 0;

  virtual void load(const juce::File& model) = 0;
  virtual void step(int by) = 0;  // -1: the model before this one in the folder; 1: the one after
  virtual void confirm() = 0;     // yes to the question
  virtual void load_cabinet(const juce::File&) = 0;
  virtual void clear_cabinet() = 0;
  virtual void set_folder(const juce::File&) = 0;
};

}  // namespace fxkit::face
