// What is in a folder of models. A thread of its own lists the files and opens one after the other to
// learn name, format and score; the message thread gets what is known so far.
#pragma once

#include <juce_events/juce_events.h>

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace fxkit::face {

struct Entry {
  juce::File file;
  juce::String name;         // the file's, until the model is known
  juce::String format;       // empty: not known yet
  std::optional<double> esr;
  juce::String problem;      // why it does not open
};

class Library : private juce::AsyncUpdater {
 public:
  explicit Library(std::function<void()> on_change);
  ~Library() override;

  // Begins to read a folder; what was known of another one is forgotten at once. Message thread.
  void read(const juce::File& folder);
  const juce::File& folder() const { return folder_; }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  void work(const juce::File& folder, int round);  // on the worker
  void handleAsyncUpdate() override;

  const std::function<void()> on_change_;
  juce::File folder_;            // these two: message thread
  std::vector<Entry> entries_;
  std::map<juce::String, Entry> learned_;  // by path, date and size; the worker's own
  juce::CriticalSection lock_;
  std::vector<Entry> fresh_;     // under lock_
  std::atomic<int> round_{0};    // a job of an earlier round stops
  juce::ThreadPool worker_;
};

}  // namespace fxkit::face
