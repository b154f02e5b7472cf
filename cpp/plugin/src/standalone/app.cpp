// The standalone program: the plug-in in a window of its own, between the sound card's input and
// output.
//
//   fxkit [MODEL | CABINET | FOLDER]... [--describe] [--scale FACTOR]
//
// --describe prints what the window shows as a line of JSON, and again whenever it changes: for tests
// and to see what a screen reader says. --scale draws everything larger or smaller.
//
// Without a sound card the program starts all the same and says so in its status line. The input is
// mute at first, against feedback, which is said there too.
#include <juce_audio_devices/juce_audio_devices.h>
#include <juce_audio_plugin_client/juce_audio_plugin_client.h>
#include <juce_audio_utils/juce_audio_utils.h>
#include <juce_gui_extra/juce_gui_extra.h>

#include <juce_audio_plugin_client/Standalone/juce_StandaloneFilterWindow.h>

#include <iostream>
#include <memory>
#include <optional>

#include "face/describe.h"
#include "face/theme.h"
#include "face/window.h"

namespace fxkit::standalone {
namespace {

struct Arguments {
  juce::StringArray files;
  bool describe = false;
  std::optional<float> scale;
  juce::String problem;  // empty: none
};

Arguments parse(const juce::StringArray& words) {
  Arguments all;
  for (int i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    if (word == "--describe") {
      all.describe = true;
    } else if (word == "--scale") {
      const float scale = words[++i].getFloatValue();
      if (scale < 0.5f || scale > 4) all.problem = "--scale takes a factor from 0.5 to 4";
      all.scale = scale;
    } else if (word.startsWith("--")) {
      all.problem = word + " is not known: fxkit [FILE]... [--describe] [--scale FACTOR]";
    } else {
      all.files.add(word.unquoted());
    }
  }
  return all;
}

// Where there is no JACK server, its library says so on the terminal several times. The status line
// says it once.
class QuietJack {
 public:
  QuietJack() {
#if JUCE_LINUX || JUCE_BSD
    using Say = void (*)(const char*);
    using Set = void (*)(Say);
    if (!library_.open("libjack.so.0")) return;
    for (const char* name : {"jack_set_error_function", "jack_set_info_function"}) {
      if (auto set = reinterpret_cast<Set>(library_.getFunction(name))) set([](const char*) {});
    }
#endif
  }

 private:
  juce::DynamicLibrary library_;
};

class MainWindow : public juce::DocumentWindow, private juce::Timer, private juce::Value::Listener {
 public:
  MainWindow(juce::PropertySet* settings, bool describes)
      : DocumentWindow("fxkit", face::colour::ground, minimiseButton | maximiseButton | closeButton),
        holder_(std::make_unique<juce::StandalonePluginHolder>(settings, false)),
        describes_(describes) {
    setUsingNativeTitleBar(true);
    auto* editor = holder_->processor->createEditorIfNeeded();
    setContentOwned(editor, true);
    setResizable(true, false);
    setResizeLimits(face::Window::least_width, face::Window::least_height, 8192, 8192);
    centreWithSize(getWidth(), getHeight());
    setVisible(true);
    for (auto* child : editor->getChildren()) {
      if (!face_) face_ = dynamic_cast<face::Window*>(child);
    }
    if (face_) {
      face_->stand_alone([this] { holder_->showAudioSettingsDialog(); });
      face_->grabKeyboardFocus();
      holder_->getMuteInputValue().addListener(this);
      say_how_it_sounds();
    }
    startTimerHz(4);
  }

  ~MainWindow() override {
    stopTimer();
    holder_->getMuteInputValue().removeListener(this);
    save();
    holder_->stopPlaying();
    auto* editor = dynamic_cast<juce::AudioProcessorEditor*>(getContentComponent());
    if (editor) holder_->processor->editorBeingDeleted(editor);
    clearContentComponent();
  }

  void open(const juce::StringArray& files) {
    for (const auto& file : files) {
      if (face_) face_->open(juce::File::getCurrentWorkingDirectory().getChildFile(file));
    }
  }

  void save() { holder_->savePluginState(); }
  void closeButtonPressed() override { juce::JUCEApplicationBase::quit(); }

 private:
  void say_how_it_sounds() {
    if (!holder_->deviceManager.getCurrentAudioDevice()) {
      face_->note(face::Tone::warning, "No sound card: nothing is heard", "Audio...",
                 [this] { holder_->showAudioSettingsDialog(); });
    } else if (holder_->getMuteInputValue().getValue()) {
      face_->note(face::Tone::calm, "The input is mute, against feedback", "Unmute",
                 [this] { holder_->getMuteInputValue().setValue(false); });
    } else {
      face_->note(face::Tone::calm, {});
    }
  }

  void valueChanged(juce::Value&) override { say_how_it_sounds(); }

  void timerCallback() override {
    const bool has_device = holder_->deviceManager.getCurrentAudioDevice() != nullptr;
    if (face_ && has_device != had_device_) say_how_it_sounds();
    had_device_ = has_device;
    if (!describes_) return;
    const auto line = juce::JSON::toString(face::describe(*getContentComponent()), true);
    if (line == described_) return;
    described_ = line;
    std::cout << line << std::endl;
  }

  std::unique_ptr<juce::StandalonePluginHolder> holder_;
  face::Window* face_ = nullptr;
  const bool describes_;
  bool had_device_ = false;
  juce::String described_;
};

class App : public juce::JUCEApplication {
 public:
  App() {
    juce::PropertiesFile::Options options;
    options.applicationName = "fxkit";
    options.filenameSuffix = ".settings";
    options.osxLibrarySubFolder = "Application Support";
#if JUCE_LINUX || JUCE_BSD
    options.folderName = "~/.config";
#endif
    settings_.setStorageParameters(options);
  }

  const juce::String getApplicationName() override { return "fxkit"; }
  const juce::String getApplicationVersion() override { return JucePlugin_VersionString; }
  bool moreThanOneInstanceAllowed() override { return true; }

  void initialise(const juce::String&) override {
    const auto arguments = parse(getCommandLineParameterArray());
    if (arguments.problem.isNotEmpty()) {
      std::cerr << "fxkit: " << arguments.problem << std::endl;
      setApplicationReturnValue(2);
      quit();
      return;
    }
    juce::LookAndFeel::setDefaultLookAndFeel(&theme_);
    if (arguments.scale) juce::Desktop::getInstance().setGlobalScaleFactor(*arguments.scale);
    window_ = std::make_unique<MainWindow>(settings_.getUserSettings(), arguments.describe);
    window_->open(arguments.files);
  }

  void shutdown() override {
    window_ = nullptr;
    settings_.saveIfNeeded();
    juce::LookAndFeel::setDefaultLookAndFeel(nullptr);
  }

  void systemRequestedQuit() override {
    if (window_) window_->save();
    quit();
  }

 private:
  QuietJack quiet_;
  face::Theme theme_;
  juce::ApplicationProperties settings_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace fxkit::standalone

// JUCE asks for the program by this name.
juce::JUCEApplicationBase* juce_CreateApplication();
juce::JUCEApplicationBase* juce_CreateApplication() { return new fxkit::standalone::App; }
