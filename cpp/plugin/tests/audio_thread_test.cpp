// What the audio thread calls must not touch the heap; and the counter that says so must count.
#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include "../../tests/test.h"
#include "files.h"
#include "processor/processor.h"

namespace {

// Only of this thread: the loader's own may allocate.
thread_local bool counting = false;
std::atomic<long> calls{0};

void count() {
  if (counting) ++calls;
}

}  // namespace

// glibc's malloc by its other name, so that C code is counted as well. Operator new ends up here.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) { count(); return __libc_malloc(size); }
void* calloc(std::size_t number, std::size_t size) { count(); return __libc_calloc(number, size); }
void* realloc(void* p, std::size_t size) { count(); return __libc_realloc(p, size); }
void* aligned_alloc(std::size_t align, std::size_t size) { count(); return __libc_memalign(align, size); }
int posix_memalign(void** p, std::size_t align, std::size_t size) {
  count();
  *p = __libc_memalign(align, size);
  return *p ? 0 : 12;
}
void free(void* p) { if (p) count(); __libc_free(p); }
}

namespace fxkit::plugin {
namespace {

template <class Call>
long counted(Call call) {
  const long before = calls;
  counting = true;
  call();
  counting = false;
  return calls - before;
}

TEST(the_counter_counts) {
  CHECK(counted([] {}) == 0);
  CHECK(counted([] { std::free(std::malloc(10)); }) == 2);
  CHECK(counted([] { ::operator delete(::operator new(10)); }) == 2);
  CHECK(counted([] {
          auto* p = ::operator new(100, std::align_val_t{64});
          ::operator delete(p, std::align_val_t{64});
        }) == 2);
  CHECK(counted([] { std::vector<float> v(100); }) == 2);
  CHECK(counted([] { juce::String("text of some length").toUpperCase(); }) > 0);
}

TEST(the_audio_thread_never_touches_the_heap) {
  const juce::ScopedJuceInitialiser_GUI juce;
  const test::Folder folder;
  auto other_rate = test::recurrent_model("lstm", 8, 0.8);
  other_rate.sample_rate = 44100;
  const juce::File models[] = {folder.model("a.fxkit", test::recurrent_model("gru", 12, 0.8)),
                               folder.model("b.fxkit", other_rate),
                               folder.model("c.fxkit", test::wavenet_model(4, 3, true))};
  const juce::File cabinets[] = {folder.sound("a.wav", 48000, {test::noise(3000)}),
                                 folder.sound("b.wav", 44100, {test::noise(300), test::noise(300, 0.1, 2)})};
  Processor processor;
  processor.loader().limit = 1e9;  // the machine may be busy
  processor.setPlayConfigDetails(2, 2, 48000, 128);
  processor.prepareToPlay(48000, 128);
  processor.set_folder(folder.get());
  auto& all = processor.parameters();
  const auto noise = test::noise(2000);
  juce::AudioBuffer<float> buffer(2, 2000);
  juce::MidiBuffer midi;
  const int sizes[] = {128, 1, 64, 0, 37, 2000, 128};  // also larger than announced
  long used = 0, blocks = 0;
  for (int round = 0; round < 36; ++round) {
    // What another thread does meanwhile is not counted.
    processor.loader().load(models[round % 3]);
    if (round % 2 == 0) processor.loader().load_cabinet(round % 8 == 6 ? juce::File() : cabinets[round / 2 % 2]);
    *all.input = static_cast<float>(round % 5);
    *all.gate = round % 4 ? -60.0f : Gate::off_db;
    *all.bass = static_cast<float>(round % 7 - 3);
    *all.mix = round % 3 ? 100.0f : 40.0f;
    *all.bypass = round % 6 == 5;
    *all.knobs[0] = static_cast<float>(round % 10);
    *all.next = round % 9 == 8;
    if (round % 12 == 11) processor.reset();
    for (int repeat = 0; repeat < 40; ++repeat) {
      for (const int size : sizes) {
        for (int c = 0; c < 2; ++c) buffer.copyFrom(c, 0, noise.data(), size);
        float* rows[] = {buffer.getWritePointer(0), buffer.getWritePointer(1)};
        juce::AudioBuffer<float> part(rows, 2, size);
        used += counted([&] {
          if (repeat % 13 == 12) processor.processBlockBypassed(part, midi);
          else processor.processBlock(part, midi);
        });
        ++blocks;
      }
      if (repeat % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  CHECK_MORE(used == 0, std::to_string(used) + " calls in " + std::to_string(blocks) + " blocks");
  CHECK(processor.loader().status().stage != Loader::Stage::failed);
}

}  // namespace
}  // namespace fxkit::plugin
