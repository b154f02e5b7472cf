// The list of the models in a folder: a filter, and rows with name, format and score. Keys: Down from
// the filter enters the list, Up and Down move, Enter loads.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>
#include <vector>

#include "face/button.h"
#include "face/library.h"

namespace fxkit::face {

class Browser : public juce::Component, private juce::ListBoxModel {
 public:
  Browser();

  void read(const juce::File& folder);
  const juce::File& folder() const { return library_.folder(); }
  // The file that plays is marked.
  void mark(const juce::File& playing);
  int row_count() const { return static_cast<int>(rows_.size()); }

  std::function<void(const juce::File&)> on_choose;  // a model

  void paint(juce::Graphics&) override;
  void resized() override;
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;

 private:
  int getNumRows() override { return row_count(); }
  void paintListBoxItem(int row, juce::Graphics&, int width, int height, bool selected) override;
  juce::String getNameForRow(int row) override;
  juce::String getTooltipForRow(int row) override;
  void listBoxItemClicked(int row, const juce::MouseEvent&) override { choose(row); }
  void returnKeyPressed(int row) override { choose(row); }
  void focusOfChildComponentChanged(FocusChangeType) override { repaint(); }
  void paintOverChildren(juce::Graphics&) override;

  void choose(int row);
  void show_rows();
  const Entry& entry(int row) const { return library_.entries()[rows_[static_cast<std::size_t>(row)]]; }

  // Down from the filter goes to the list.
  struct Filter : juce::TextEditor {
    std::function<void()> on_down;
    bool keyPressed(const juce::KeyPress&) override;
  };

  std::vector<std::size_t> rows_;  // those entries that pass the filter
  juce::File playing_;

 public:
  Button choose_folder;
  Filter filter;
  juce::ListBox list;

 private:
  Library library_;  // last, so that its thread ends first
};

}  // namespace fxkit::face
