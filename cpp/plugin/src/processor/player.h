// What the window sees of the processor.
#pragma once

#include "face/player.h"
#include "processor/processor.h"

namespace fxkit::plugin {

class WindowPlayer : public face::Player {
 public:
  explicit WindowPlayer(Processor& processor) : processor_(processor) {}

  face::Parameters parameters() override;
  juce::RangedAudioParameter& bypass() override { return *processor_.parameters().bypass; }
  face::View view() override;
  face::Levels take_levels() override;

  void load(const juce::File& model) override { processor_.load(model); }
  void step(int by) override { processor_.step(by); }
  void confirm() override;
  void load_cabinet(const juce::File& file) override { processor_.loader().load_cabinet(file); }
  void clear_cabinet() override { processor_.loader().load_cabinet({}); }
  void set_folder(const juce::File& folder) override { processor_.set_folder(folder); }

 private:
  Processor& processor_;
};

}  // namespace fxkit::plugin
