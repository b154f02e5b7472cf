#include "face/window.h"

#include "face/words.h"

namespace fxkit::face {
namespace {

constexpr int meters_width = 116;
constexpr int footer_height = 9 * unit;
constexpr int docking_width = 840;  // from here on the list has a place of its own
constexpr const char* model_patterns = "*.fxkit;*.nam;*.json;*.aidax";

bool is_cabinet(const juce::File& file) { return file.hasFileExtension("wav;wave"); }
bool is_model(const juce::File& file) { return file.hasFileExtension("fxkit;nam;json;aidax"); }

}  // namespace

// Lies over everything while a file is dragged over the window.
class Window::Drop : public juce::Component {
 public:
  Drop() { setInterceptsMouseClicks(false, false); }

  void show(const juce::String& words) {
    words_ = words;
    setVisible(true);
    repaint();
  }

  void paint(juce::Graphics& g) override {
    g.fillAll(colour::ground.withAlpha(0.82f));
    const auto area = getLocalBounds().toFloat().reduced(gap);
    juce::Path border, dashes;
    border.addRoundedRectangle(area, corner * 1.5f);
    const float pattern[] = {8.0f, 6.0f};
    juce::PathStrokeType(2.0f).createDashedStroke(dashes, border, pattern, 2);
    g.setColour(colour::accent);
    g.fillPath(dashes);
    g.setColour(colour::text);
    g.setFont(font(22, Weight::bold));
    g.drawFittedText(words_, getLocalBounds().reduced(4 * gap), juce::Justification::centred, 3);
  }

 private:
  juce::String words_;
};

Window::Window(Player& player)
    : player_(player), board_(player.parameters()), drop_(std::make_unique<Drop>()),
      bypass_(player.bypass(), [this](float value) {
        const bool off = value >= 0.5f;
        header_.bypass.setToggleState(off, juce::dontSendNotification);
        board_.setAlpha(off ? 0.45f : 1.0f);
      }) {
  setLookAndFeel(&theme_);
  setTitle("fxkit");
  setOpaque(true);
  setWantsKeyboardFocus(true);
  content_.setTitle("fxkit");
  meters_.setTitle("Meters");
  addAndMakeVisible(content_);
  for (juce::Component* part : std::initializer_list<juce::Component*>{
           &header_, &browser_, &board_, &meters_, &footer_}) {
    content_.addAndMakeVisible(part);
  }
  content_.addChildComponent(*drop_);
  for (juce::Component* part :
       std::initializer_list<juce::Component*>{&input_, &output_, &load_}) {
    meters_.addAndMakeVisible(part);
  }

  header_.previous.onClick = [this] { player_.step(-1); };
  header_.next.onClick = [this] { player_.step(1); };
  header_.load.onClick = [this] {
    choose("Load a model", shown_.playing.existsAsFile() ? shown_.playing : shown_.folder,
           model_patterns, false, [this](const juce::File& file) { open(file); });
  };
  header_.list.onClick = [this] { toggle_list(); };
  header_.bypass.onClick = [this] {
    bypass_.setValueAsCompleteGesture(header_.bypass.getToggleState() ? 1.0f : 0.0f);
  };
  browser_.on_choose = [this](const juce::File& file) {
    open(file);
    if (drawer_) toggle_list();
  };
  browser_.choose_folder.onClick = [this] {
    choose("Choose the folder of models", shown_.folder, "*", true,
           [this](const juce::File& folder) { player_.set_folder(folder); });
  };
  board_.cabinet.load.onClick = [this] {
    choose("Load a cabinet", {}, "*.wav", false,
           [this](const juce::File& file) { player_.load_cabinet(file); });
  };
  board_.cabinet.clear.onClick = [this] { player_.clear_cabinet(); };
  footer_.on_answer = [this] {
    if (shown_.question.isNotEmpty()) {
      player_.confirm();
    } else if (note_.on_answer) {
      note_.on_answer();
    }
  };
  bypass_.sendInitialUpdate();
  setSize(usual_width, usual_height);
  refresh();
  startTimerHz(30);
}

Window::~Window() {
  stopTimer();
  setLookAndFeel(nullptr);
}

void Window::note(Tone tone, const juce::String& message, const juce::String& question,
                  std::function<void()> on_answer) {
  note_ = {tone, message, question, std::move(on_answer)};
  show_line();
}

void Window::show_line() {
  if (slip_.isNotEmpty()) {
    footer_.show(Tone::error, slip_, shown_.question);
  } else if (shown_.question.isNotEmpty() || note_.message.isEmpty() ||
             (shown_.message.isNotEmpty() && shown_.tone != Tone::calm)) {
    footer_.show(shown_.tone, shown_.message, shown_.question);
  } else {
    footer_.show(note_.tone, note_.message, note_.question);
  }
}

void Window::stand_alone(std::function<void()> on_audio) {
  alone_ = true;
  header_.audio.onClick = std::move(on_audio);
  header_.show_audio_button(true);
}

void Window::refresh() {
  const auto view = player_.view();
  if (view.message != shown_.message || view.playing != shown_.playing) slip_.clear();
  header_.show(view.model, view.latency);
  board_.show(view.model ? view.model->knobs : std::vector<host::Knob>{});
  board_.cabinet.show(view.cabinet);
  if (view.folder != shown_.folder) browser_.read(view.folder);
  browser_.mark(view.playing);
  shown_ = view;
  show_line();

  const auto now = juce::Time::getMillisecondCounter();
  const float seconds =
      last_tick_ == 0 ? 0.0f : static_cast<float>(std::min(now - last_tick_, 1000u)) / 1000.0f;
  last_tick_ = now;
  const auto levels = player_.take_levels();
  input_.update(levels.input, seconds);
  output_.update(levels.output, seconds);
  load_.update(levels.load);
}

void Window::paint(juce::Graphics& g) { g.fillAll(colour::ground); }

void Window::resized() {
  // A window larger than the usual one shows everything larger.
  const float scale = std::clamp(
      std::min(static_cast<float>(getWidth()) / usual_width,
               static_cast<float>(getHeight()) / usual_height), 1.0f, 3.0f);
  content_.setTransform(juce::AffineTransform::scale(scale));
  content_.setBounds(0, 0, juce::roundToInt(std::ceil(static_cast<float>(getWidth()) / scale)),
                     juce::roundToInt(std::ceil(static_cast<float>(getHeight()) / scale)));
  lay_out(content_.getLocalBounds());
}

void Window::lay_out(juce::Rectangle<int> area) {
  drop_->setBounds(area);
  docked_ = area.getWidth() >= docking_width;
  if (docked_) drawer_ = false;
  area.reduce(4 * unit, gap);
  header_.show_list_button(!docked_);
  header_.setBounds(area.removeFromTop(header_.wanted_height(area.getHeight() >= 480)));
  area.removeFromTop(unit);
  footer_.setBounds(area.removeFromBottom(footer_height).withTrimmedRight(4 * unit));
  area.removeFromBottom(unit);
  if (docked_) {
    browser_.setBounds(area.removeFromLeft(std::clamp(area.getWidth() / 4, 220, 320)));
    area.removeFromLeft(gap);
  }
  auto meters = area.removeFromRight(meters_width);
  area.removeFromRight(gap);
  board_.setBounds(area);
  if (!docked_) browser_.setBounds(area);
  browser_.setVisible(docked_ || drawer_);
  // What lies under the drawer is out of reach.
  board_.setVisible(!drawer_);
  meters_.setBounds(meters);
  auto inside = meters_.getLocalBounds();
  load_.setBounds(inside.removeFromBottom(6 * unit).reduced(2 * unit, 0));
  inside.removeFromBottom(2 * unit);
  input_.setBounds(inside.removeFromLeft(meters_width / 2));
  output_.setBounds(inside);
}

void Window::toggle_list() {
  if (docked_) {
    browser_.list.grabKeyboardFocus();
    return;
  }
  drawer_ = !drawer_;
  lay_out(content_.getLocalBounds());
  if (drawer_) browser_.list.grabKeyboardFocus();
  else header_.list.grabKeyboardFocus();
}

bool Window::keyPressed(const juce::KeyPress& key) {
  const auto mods = key.getModifiers();
  const int code = key.getKeyCode();
  if (mods.isCommandDown() || mods.isCtrlDown()) {
    if (code == juce::KeyPress::leftKey) player_.step(-1);
    else if (code == juce::KeyPress::rightKey) player_.step(1);
    else if (code == 'O' || code == 'o') header_.load.triggerClick();
    else if (code == 'L' || code == 'l') toggle_list();
    else if (code == 'F' || code == 'f') {
      if (!docked_ && !drawer_) toggle_list();
      browser_.filter.grabKeyboardFocus();
    } else {
      return false;
    }
    return true;
  }
  if (code == juce::KeyPress::escapeKey && drawer_) {
    toggle_list();
    return true;
  }
  if (mods.isAltDown()) return false;
  if (code == 'B' || code == 'b' || (alone_ && code == juce::KeyPress::spaceKey)) {
    header_.bypass.triggerClick();
    return true;
  }
  return false;
}

void Window::open(const juce::File& file) {
  slip_.clear();
  if (file.isDirectory()) {
    player_.set_folder(file);
  } else if (is_cabinet(file)) {
    player_.load_cabinet(file);
  } else if (is_model(file)) {
    player_.load(file);
  } else {
    slip_ = file.getFileName() + " is neither a model (" +
            juce::String(model_patterns).replace("*", "").replace(";", ", ") +
            ") nor a cabinet (.wav)";
  }
  refresh();
}

void Window::fileDragEnter(const juce::StringArray& files, int, int) {
  const juce::File file(files[0]);
  drop_->show(file.isDirectory() ? "Drop to show the models of this folder"
              : is_cabinet(file) ? "Drop to load this cabinet"
              : is_model(file)   ? "Drop to load this model"
                                 : "Neither a model nor a cabinet");
}

void Window::fileDragExit(const juce::StringArray&) { drop_->setVisible(false); }

void Window::filesDropped(const juce::StringArray& files, int, int) {
  drop_->setVisible(false);
  // A model and its cabinet may come together; of several models the last one plays.
  for (const auto& file : files) open(juce::File(file));
}

void Window::choose(const juce::String& title, const juce::File& start,
                    const juce::String& patterns, bool folder,
                    std::function<void(const juce::File&)> use) {
  chooser_ = std::make_unique<juce::FileChooser>(title, start, patterns);
  using Flags = juce::FileBrowserComponent;
  chooser_->launchAsync(Flags::openMode | (folder ? Flags::canSelectDirectories
                                                  : Flags::canSelectFiles),
                        [use = std::move(use)](const juce::FileChooser& chooser) {
                          if (const auto file = chooser.getResult(); file != juce::File()) use(file);
                        });
}

}  // namespace fxkit::face
