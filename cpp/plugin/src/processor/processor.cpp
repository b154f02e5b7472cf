#include "processor/processor.h"

#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

#include "loader/library.h"
#include "processor/editor.h"
#include "processor/state.h"

namespace fxkit::plugin {
namespace {

constexpr int timer_hz = 20;

// The models that come with fxkit, as they lie in the usual folder.
std::vector<juce::File> demo_models() {
  std::vector<juce::File> found;
  for (const char* name : {"demo-light.fxkit", "demo-medium.fxkit", "demo-heavy.fxkit"}) {
    if (const auto file = usual_folder().getChildFile(name); file.existsAsFile()) found.push_back(file);
  }
  return found;
}

// For hosts without windows.
juce::File startup_model() {
  const auto path = juce::SystemStats::getEnvironmentVariable("FXKIT_MODEL", {});
  return path.isEmpty() ? juce::File() : juce::File::getCurrentWorkingDirectory().getChildFile(path);
}

}  // namespace

Processor::Processor()
    : AudioProcessor(BusesProperties()
                         .withInput("Input", juce::AudioChannelSet::stereo(), true)
                         .withOutput("Output", juce::AudioChannelSet::stereo(), true)),
      presets_(demo_models()),
      folder_(usual_folder()) {
  if (const auto model = startup_model(); model != juce::File()) {
    startup_wins_ = wrapperType == wrapperType_Standalone;
    loader_.load_now(model, Loader::Knobs::reset, false);
  }
  parameters_.previous->addListener(this);
  parameters_.next->addListener(this);
  startTimerHz(timer_hz);
}

Processor::~Processor() {
  stopTimer();
  parameters_.previous->removeListener(this);
  parameters_.next->removeListener(this);
}

bool Processor::isBusesLayoutSupported(const BusesLayout& layout) const {
  const auto mono = juce::AudioChannelSet::mono(), stereo = juce::AudioChannelSet::stereo();
  const auto in = layout.getMainInputChannelSet(), out = layout.getMainOutputChannelSet();
  return (in == mono && (out == mono || out == stereo)) || (in == stereo && out == stereo);
}

double Processor::getTailLengthSeconds() const { return Impulse::longest + latency_seconds(); }

double Processor::latency_seconds() const {
  const double rate = rate_.load();
  return rate > 0 ? static_cast<double>(chain_.slot.latency()) / rate : 0;
}

void Processor::prepareToPlay(double rate, int max_block) {
  rate_ = rate;
  loader_.set_offline(isNonRealtime());
  chain_.slot.set_offline(isNonRealtime());
  loader_.prepare(rate, static_cast<std::size_t>(std::max(1, max_block)),
                  static_cast<std::size_t>(std::max(1, getTotalNumInputChannels())),
                  static_cast<std::size_t>(std::max(1, getTotalNumOutputChannels())));
  level_is_old_ = false;
  // Takes what was loaded already, so that the latency is the right one from the start.
  chain_.set(parameters_.settings(loader_.level_factor()));
  chain_.start();
  report_latency();
}

void Processor::setNonRealtime(bool offline) noexcept {
  AudioProcessor::setNonRealtime(offline);
  loader_.set_offline(offline);
  chain_.slot.set_offline(offline);
}

void Processor::report_latency() { setLatencySamples(static_cast<int>(chain_.slot.latency())); }

// Previous and next count when they go up; a host sets them from whichever thread it likes.
void Processor::parameterValueChanged(int index, float value) {
  if (value < 0.5f) return;
  steps_.fetch_add(index == parameters_.next->getParameterIndex() ? 1 : -1);
  stepping_.fetch_add(1);
}

void Processor::turn_knobs() noexcept {
  // A model that was just handed over gets them again, for it may have been faded in meanwhile.
  const unsigned version = loader_.version();
  const bool all = version != seen_ || chain_.slot.busy();
  seen_ = version;
  for (std::size_t i = 0; i < sent_.size(); ++i) {
    const float value = parameters_.knobs[i]->get() / KnobParameter::highest;
    if (all || value != sent_[i]) chain_.slot.set_control(i, value);
    sent_[i] = value;
  }
}

void Processor::play(juce::AudioBuffer<float>& buffer, bool bypassed) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const juce::ScopedNoDenormals flush;
  if (isNonRealtime()) {
    // Nobody listens: rather late than the wrong sound.
    for (int i = 0; i < 30000 && (stepping_.load() > 0 || loader_.busy()); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  // A new model's level waits until it is heard alone: before, it would be the old one's.
  if (!level_is_old_.exchange(true) || !chain_.slot.busy()) level_ = loader_.level_factor();
  auto settings = parameters_.settings(level_);
  settings.bypass |= bypassed;
  chain_.set(settings);
  turn_knobs();
  const auto frames = static_cast<std::size_t>(buffer.getNumSamples());
  chain_.process(buffer.getArrayOfWritePointers(), frames);
  if (const double rate = rate_.load(std::memory_order_relaxed); frames > 0 && rate > 0) {
    const auto took = std::chrono::duration<double>(Clock::now() - start).count();
    const auto share = static_cast<float>(took * rate / static_cast<double>(frames));
    const float before = load_.load(std::memory_order_relaxed);
    load_.store(before + 0.05f * (share - before), std::memory_order_relaxed);
  }
}

void Processor::processBlock(juce::AudioBuffer<float>& buffer, juce::MidiBuffer&) {
  play(buffer, false);
}

void Processor::processBlockBypassed(juce::AudioBuffer<float>& buffer, juce::MidiBuffer&) {
  play(buffer, true);
}

void Processor::model_changes(const host::ModelInfo* model, Loader::Knobs knobs) {
  parameters_.show_knobs(model);
  if (knobs == Loader::Knobs::reset) parameters_.reset_knobs();
}

float Processor::knob(std::size_t index) {
  return index < Parameters::knob_count ? parameters_.knobs[index]->get() / KnobParameter::highest
                                        : 0.5f;
}

// Steps and programs that the host asked for. Here and not in the timer: a host without windows has no
// message loop.
void Processor::background() {
  const int asked = stepping_.load();
  if (asked == 0) return;
  if (const int program = wanted_program_.exchange(0); program != 0) {
    parameters_.reset();
    say("");
    loader_.load(presets_[static_cast<std::size_t>(program - 1)]);
  }
  if (const int by = steps_.exchange(0); by != 0) step(by);
  stepping_.fetch_sub(asked);  // not before the model is on its way
}

void Processor::timerCallback() {
  chain_.slot.collect();
  // While a model waits to be heard, its latency is reported already.
  if (!chain_.slot.busy()) report_latency();
  for (auto* trigger : {parameters_.previous, parameters_.next}) {
    if (trigger->get()) trigger->setValueNotifyingHost(0);
  }
  if (const unsigned version = loader_.version(); version != shown_) {
    shown_ = version;
    updateHostDisplay(ChangeDetails().withParameterInfoChanged(true).withProgramChanged(true));
  }
}

juce::File Processor::folder() const {
  const juce::ScopedLock hold(lock_);
  return folder_;
}

juce::Point<int> Processor::window_size() const {
  const juce::ScopedLock hold(lock_);
  return window_size_;
}

void Processor::set_window_size(juce::Point<int> size) {
  const juce::ScopedLock hold(lock_);
  window_size_ = size;
}

void Processor::set_folder(const juce::File& folder) {
  const juce::ScopedLock hold(lock_);
  folder_ = folder;
}

void Processor::load(const juce::File& model) {
  say("");
  program_ = 0;  // no longer what a program says: to choose that again is a change
  loader_.load(model);
}

void Processor::step(int by) {
  const auto file = neighbour(models_in(folder()), loader_.status().model, by);
  if (file != juce::File()) load(file);
  else say("There are no models in " + folder().getFullPathName().toStdString());
}

void Processor::say(const std::string& message) {
  const juce::ScopedLock hold(lock_);
  message_ = message;
}

std::string Processor::message() const {
  const auto status = loader_.status();
  const juce::ScopedLock hold(lock_);
  std::string all;
  for (const auto* text : {&message_, &status.message, &status.cabinet_message}) {
    if (!text->empty()) all += (all.empty() ? "" : ". ") + *text;
  }
  return all;
}

// A host may call this on the audio thread.
void Processor::setCurrentProgram(int index) {
  if (index < 0 || index >= getNumPrograms()) return;
  program_ = index;
  if (index == 0) return;
  wanted_program_ = index;
  stepping_.fetch_add(1);
}

const juce::String Processor::getProgramName(int index) {
  if (index < 1 || index >= getNumPrograms()) return "As it is";
  return presets_[static_cast<std::size_t>(index - 1)].getFileNameWithoutExtension();
}

void Processor::getStateInformation(juce::MemoryBlock& block) {
  const auto status = loader_.status();
  State state;
  state.model = status.model.getFullPathName();
  state.cabinet = status.cabinet.getFullPathName();
  state.confirmed = status.confirmed;
  state.width = window_size().x;
  state.height = window_size().y;
  if (const auto own = folder(); own != usual_folder()) state.folder = own.getFullPathName();
  for (auto* parameter : parameters_.stored) {
    state.values[parameter->getParameterID()] =
        parameter->convertFrom0to1(parameter->getValue());
  }
  write(state, block);
}

void Processor::setStateInformation(const void* data, int size) {
  State state;
  say("");
  // What was asked for before is not to come on top.
  wanted_program_ = 0;
  steps_ = 0;
  try {
    state = read(data, size);
  } catch (const std::exception& error) {
    say(error.what());
  }
  const auto file = [](const juce::String& path) {
    return juce::File::isAbsolutePath(path) ? juce::File(path) : juce::File();
  };
  set_window_size({state.width, state.height});
  set_folder(state.folder.isEmpty() ? usual_folder() : file(state.folder));
  const auto restore = [&](bool stored) {
    for (auto* parameter : parameters_.stored) {
      const auto at = state.values.find(parameter->getParameterID());
      if ((at != state.values.end()) != stored) continue;
      parameter->setValueNotifyingHost(stored ? parameter->convertTo0to1(at->second)
                                              : parameter->getDefaultValue());
    }
  };
  restore(true);
  const bool loads = !std::exchange(startup_wins_, false);
  if (loads) loader_.load_now(file(state.model), Loader::Knobs::keep, state.confirmed);
  loader_.load_cabinet_now(file(state.cabinet));
  restore(false);  // after the model, which has the defaults of its knobs
  // A host that renders at once asks before the model has played a block.
  if (rate_.load() > 0 && loads) setLatencySamples(static_cast<int>(loader_.latency()));
}

juce::AudioProcessorEditor* Processor::createEditor() {
  return new Editor(*this);
}

}  // namespace fxkit::plugin

juce::AudioProcessor* JUCE_CALLTYPE createPluginFilter() { return new fxkit::plugin::Processor; }
