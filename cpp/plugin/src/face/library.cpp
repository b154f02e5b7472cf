#include "face/library.h"

#include "face/words.h"
#include "fxkit/host/sound.h"
#include "loader/library.h"

namespace fxkit::face {
namespace {

constexpr juce::int64 largest = 256 << 20;  // bytes; larger files are listed, but not opened

// Name, format and score, or the problem. Opening proves the file against its own probe.
void learn(Entry& entry) {
  if (entry.file.getSize() > largest) {
    entry.format = "large";
    return;
  }
  try {
    const auto sound = host::Sound::open(entry.file.getFullPathName().toStdString());
    const auto& info = sound->info();
    entry.name = juce::String::fromUTF8(info.name.c_str());
    entry.format = format_name(info.format);
    entry.esr = info.esr;
  } catch (const host::ProgramNotAllowed&) {
    entry.format = "holds a program";
  } catch (const std::exception& error) {
    entry.format = "does not open";
    entry.problem = juce::String::fromUTF8(error.what());
  }
}

juce::String key_of(const juce::File& file) {
  return file.getFullPathName() + "|" + juce::String(file.getLastModificationTime().toMilliseconds()) +
         "|" + juce::String(file.getSize());
}

}  // namespace

Library::Library(std::function<void()> on_change)
    : on_change_(std::move(on_change)),
      worker_(1, 0, juce::Thread::Priority::low) {}

Library::~Library() {
  ++round_;
  worker_.removeAllJobs(true, -1);
  cancelPendingUpdate();
}

void Library::read(const juce::File& folder) {
  const int round = ++round_;
  if (folder != folder_) {
    folder_ = folder;
    entries_.clear();
    const juce::ScopedLock hold(lock_);
    fresh_.clear();
  }
  worker_.addJob([this, folder, round] { work(folder, round); });
  on_change_();
}

void Library::work(const juce::File& folder, int round) {
  std::vector<Entry> all;
  for (const auto& file : plugin::models_in(folder)) {
    if (round != round_) return;
    all.push_back({file, file.getFileNameWithoutExtension(), {}, {}, {}});
  }
  const auto give = [&] {
    {
      const juce::ScopedLock hold(lock_);
      if (round != round_) return;
      fresh_ = all;
    }
    triggerAsyncUpdate();
  };
  give();
  for (auto& entry : all) {
    const auto key = key_of(entry.file);
    auto known = learned_.find(key);
    if (known == learned_.end()) {
      learn(entry);
      known = learned_.emplace(key, entry).first;
    }
    if (round != round_) return;
    entry = known->second;
    give();
  }
}

void Library::handleAsyncUpdate() {
  {
    const juce::ScopedLock hold(lock_);
    entries_ = fresh_;
  }
  on_change_();
}

}  // namespace fxkit::face
