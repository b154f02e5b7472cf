#include "face/browser.h"

#include "face/theme.h"
#include "face/words.h"

namespace fxkit::face {
namespace {

constexpr int row_height = 44;

// "fxkit, ESR 0.0062"
juce::String second_line(const Entry& entry) {
  if (entry.format.isEmpty()) return entry.file.getFileExtension().trimCharactersAtStart(".");
  if (!entry.esr) return entry.format;
  return entry.format + juce::String::fromUTF8("  \xc2\xb7  ESR ") + esr_in_digits(*entry.esr);
}

}  // namespace

bool Browser::Filter::keyPressed(const juce::KeyPress& key) {
  if (key.getKeyCode() == juce::KeyPress::downKey && on_down) {
    on_down();
    return true;
  }
  if (key.getKeyCode() == juce::KeyPress::escapeKey && !isEmpty()) {
    clear();
    return true;
  }
  return juce::TextEditor::keyPressed(key);
}

Browser::Browser()
    : choose_folder("Folder...", "Choose the folder of models"),
      library_([this] { show_rows(); }) {
  setTitle("Models");
  filter.setTitle("Filter");
  filter.setDescription("Shows only the models with these words in their name");
  filter.setFont(font(13));
  filter.setIndents(2 * unit, 0);
  filter.setJustification(juce::Justification::centredLeft);
  filter.setTextToShowWhenEmpty("Filter", colour::faint);
  filter.onTextChange = [this] { show_rows(); };
  filter.on_down = [this] {
    list.grabKeyboardFocus();
    if (list.getSelectedRow() < 0) list.selectRow(0);
  };
  filter.onReturnKey = [this] { choose(std::max(0, list.getSelectedRow())); };
  list.setModel(this);
  list.setRowHeight(row_height);
  list.setTitle("List of models");
  list.setDescription("Up and Down move, Enter loads");
  list.setColour(juce::ListBox::outlineColourId, juce::Colours::transparentBlack);
  list.getViewport()->setScrollBarThickness(2 * unit);
  addAndMakeVisible(choose_folder);
  addAndMakeVisible(filter);
  addAndMakeVisible(list);
}

void Browser::read(const juce::File& folder) {
  const auto words = "Choose the folder of models; now " + folder.getFullPathName();
  choose_folder.setTooltip(words);
  choose_folder.setDescription(words);
  library_.read(folder);
}

void Browser::mark(const juce::File& playing) {
  if (playing == playing_) return;
  playing_ = playing;
  for (int row = 0; row < row_count(); ++row) {
    if (entry(row).file == playing_) list.selectRow(row);
  }
  list.repaint();
}

void Browser::show_rows() {
  juce::File selected;
  if (const int row = list.getSelectedRow(); row >= 0 && row < row_count() &&
      rows_[static_cast<std::size_t>(row)] < library_.entries().size()) {
    selected = entry(row).file;
  }
  const auto words = juce::StringArray::fromTokens(filter.getText(), " ", "");
  rows_.clear();
  for (std::size_t i = 0; i < library_.entries().size(); ++i) {
    const auto& one = library_.entries()[i];
    const auto text = one.name + " " + one.file.getFileName() + " " + one.format;
    bool passes = true;
    for (const auto& word : words) passes = passes && text.containsIgnoreCase(word);
    if (passes) rows_.push_back(i);
  }
  list.updateContent();
  list.deselectAllRows();
  for (int row = 0; row < row_count(); ++row) {
    if (entry(row).file == (selected == juce::File() ? playing_ : selected)) list.selectRow(row);
  }
  repaint();
}

void Browser::choose(int row) {
  if (row < 0 || row >= row_count()) return;
  if (on_choose) on_choose(entry(row).file);
}

juce::String Browser::getNameForRow(int row) {
  if (row < 0 || row >= row_count()) return {};
  const auto& one = entry(row);
  auto name = one.name + ", " + second_line(one);
  if (one.esr) name += ", " + esr_in_words(*one.esr);
  return one.file == playing_ ? name + ", playing" : name;
}

juce::String Browser::getTooltipForRow(int row) {
  if (row < 0 || row >= row_count()) return {};
  const auto& one = entry(row);
  return one.problem.isNotEmpty() ? one.problem : one.file.getFileName();
}

void Browser::paintListBoxItem(int row, juce::Graphics& g, int width, int height, bool selected) {
  if (row >= row_count()) return;
  const auto& one = entry(row);
  auto area = juce::Rectangle<int>(width, height).reduced(unit, 1);
  if (selected) {
    g.setColour(colour::raised);
    g.fillRoundedRectangle(area.toFloat(), 6.0f);
  }
  const bool plays = one.file == playing_;
  if (plays) {
    g.setColour(colour::accent);
    g.fillRoundedRectangle(area.withWidth(3).reduced(0, 8).toFloat(), 1.5f);
  }
  area = area.withTrimmedLeft(10).withTrimmedRight(unit).reduced(0, unit);
  const bool broken = one.problem.isNotEmpty();
  g.setColour(broken ? colour::faint : plays ? colour::accent : colour::text);
  g.setFont(font(13.5f));
  g.drawText(one.name, area.removeFromTop(area.getHeight() / 2), juce::Justification::centredLeft,
             true);
  g.setColour(broken ? colour::error.withAlpha(0.8f) : colour::dim);
  g.setFont(font(11.5f));
  g.drawText(second_line(one), area, juce::Justification::centredLeft, true);
}

void Browser::paint(juce::Graphics& g) {
  draw_panel(g, getLocalBounds().toFloat());
  auto area = getLocalBounds().reduced(gap).removeFromTop(8 * unit);
  area.setRight(choose_folder.getX() - unit);
  g.setColour(colour::text);
  g.setFont(font(14, Weight::bold));
  const auto name = folder().getFileName();
  g.drawText(name.isEmpty() ? juce::String("Models") : name, area, juce::Justification::centredLeft,
             true);
  if (row_count() == 0) {
    g.setColour(colour::faint.brighter(0.2f));
    g.setFont(font(13));
    const bool filtered = !library_.entries().empty();
    g.drawFittedText(filtered ? "No model has these words in its name"
                     : folder().isDirectory()
                         ? "No models in this folder: choose another, or drop a file here"
                         : "Choose a folder of models, or drop a file here",
                     list.getBounds().reduced(gap), juce::Justification::centred, 4);
  }
}

void Browser::paintOverChildren(juce::Graphics& g) {
  if (list.hasKeyboardFocus(true)) draw_focus(g, list.getBounds().toFloat().expanded(2));
}

void Browser::resized() {
  auto area = getLocalBounds().reduced(gap);
  auto top = area.removeFromTop(8 * unit);
  choose_folder.setBounds(top.removeFromRight(choose_folder.wanted_width()));
  area.removeFromTop(2 * unit);
  filter.setBounds(area.removeFromTop(8 * unit));
  area.removeFromTop(2 * unit);
  list.setBounds(area.expanded(unit, 0));
}

std::unique_ptr<juce::AccessibilityHandler> Browser::createAccessibilityHandler() {
  return std::make_unique<juce::AccessibilityHandler>(*this, juce::AccessibilityRole::group);
}

}  // namespace fxkit::face
