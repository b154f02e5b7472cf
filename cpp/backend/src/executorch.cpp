// Runs programs in ExecuTorch, one thread each, for whoever knows `fxkit/host/backend.h`.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <executorch/extension/data_loader/buffer_data_loader.h>
#include <executorch/extension/memory_allocator/malloc_memory_allocator.h>
#include <executorch/extension/tensor/tensor_ptr_maker.h>
#include <executorch/extension/threadpool/threadpool_guard.h>
#include <executorch/runtime/backend/backend_options_map.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/platform.h>
#include <executorch/runtime/platform/runtime.h>

#include "flush_denormals.h"
#include "fxkit/host/backend.h"
#include "memory.h"

namespace fxkit::executorch_backend {
namespace {

namespace et = executorch::runtime;

constexpr std::size_t max_window = std::size_t{1} << 22, max_controls = 64;
constexpr std::size_t max_planned = std::size_t{1} << 32;  // bytes between the operators

// What ExecuTorch last said on this thread: its error codes alone are numbers.
thread_local char last_error[256];

void keep_message(et_timestamp_t, et_pal_log_level_t level, const char*, const char*, std::size_t,
                  const char* message, std::size_t length) {
  if (level != kError && level != kFatal) return;
  const std::size_t size = std::min(length, sizeof last_error - 1);
  std::memcpy(last_error, message, size);
  last_error[size] = '\0';
}

void start_runtime() {
  static const bool started = [] {
    et::register_pal(et::PalImpl::create(keep_message, __FILE__));
    et::runtime_init();
    return true;
  }();
  (void)started;
}

[[noreturn]] void fail(const std::string& what, et::Error error) {
  std::string text = what + " (ExecuTorch error " + std::to_string(static_cast<int>(error));
  if (last_error[0] != '\0') text += std::string(": ") + last_error;
  throw std::runtime_error(text + ")");
}

void must(et::Error error, const char* what) {
  if (error != et::Error::Ok) fail(what, error);
}

template <class T>
T take(et::Result<T> result, const char* what) {
  if (!result.ok()) fail(what, result.error());
  return std::move(result.get());
}

std::vector<std::size_t> float_sizes(const et::TensorInfo& info) {
  if (info.scalar_type() != executorch::aten::ScalarType::Float) {
    throw std::runtime_error("the program is not of 32-bit floats");
  }
  const auto sizes = info.sizes();
  return {sizes.begin(), sizes.end()};
}

class Program {
 public:
  Program(const void* data, std::size_t size)
      : bytes_(static_cast<const std::uint8_t*>(data), static_cast<const std::uint8_t*>(data) + size),
        loader_(bytes_.data(), bytes_.size()),
        program_(take(et::Program::load(&loader_, et::Program::Verification::InternalConsistency),
                      "this is no program of ExecuTorch")) {
    const et::MethodMeta meta = take(program_.method_meta("forward"), "the program has no forward");
    read_shapes(meta);
    plan(meta);
    // Programs share no memory with each other, so that each may run on a thread of its own.
    must(options_.set_option("workspace_sharing_mode", 0), "no options");
    must(option_map_.set_options("XnnpackBackend", options_.view()), "no options");
    manager_.emplace(&methods_, &*planned_, &temporary_);
    method_.emplace(take(program_.load_method("forward", &*manager_, nullptr, nullptr, &option_map_),
                         "the program cannot be loaded"));
    in_.resize(window_);
    const auto size_of = [](std::size_t n) { return static_cast<executorch::aten::SizesType>(n); };
    tensors_.push_back(executorch::extension::from_blob(in_.data(), {1, 1, size_of(window_)}));
    if (controls_ > 0) {
      knobs_.resize(controls_);
      tensors_.push_back(executorch::extension::from_blob(knobs_.data(), {1, size_of(controls_)}));
    }
    for (auto& tensor : tensors_) values_.emplace_back(*tensor);
  }

  std::size_t window() const { return window_; }
  std::size_t controls() const { return controls_; }

  void run(const float* in, const float* controls, float* out) {
    last_error[0] = '\0';
    const executorch::extension::threadpool::NoThreadPoolGuard one_thread;
    const kernels::FlushDenormals flush;
    std::copy_n(in, window_, in_.data());
    if (controls_ > 0) std::copy_n(controls, controls_, knobs_.data());
    for (std::size_t i = 0; i < values_.size(); ++i) {
      must(method_->set_input(values_[i], i), "the program takes no window");
    }
    must(method_->execute(), "the program failed");
    temporary_.reset();
    const auto& value = method_->get_output(0);
    if (!value.isTensor() || static_cast<std::size_t>(value.toTensor().numel()) != window_) {
      throw std::runtime_error("the program did not give a window");
    }
    std::copy_n(value.toTensor().const_data_ptr<float>(), window_, out);
  }

 private:
  void read_shapes(const et::MethodMeta& meta) {
    const std::size_t inputs = meta.num_inputs();
    if ((inputs != 1 && inputs != 2) || meta.num_outputs() != 1) {
      throw std::runtime_error("the program does not turn a window into a window");
    }
    const auto x = float_sizes(take(meta.input_tensor_meta(0), "its input is no tensor"));
    const auto y = float_sizes(take(meta.output_tensor_meta(0), "its output is no tensor"));
    if (x.size() != 3 || x[0] != 1 || x[1] != 1 || x[2] < 1 || x[2] > max_window || y != x) {
      throw std::runtime_error("the program does not turn a window into a window");
    }
    window_ = x[2];
    if (inputs == 1) return;
    const auto k = float_sizes(take(meta.input_tensor_meta(1), "its knobs are no tensor"));
    if (k.size() != 2 || k[0] != 1 || k[1] < 1 || k[1] > max_controls) {
      throw std::runtime_error("the program's second input is not a row of knobs");
    }
    controls_ = k[1];
  }

  void plan(const et::MethodMeta& meta) {
    std::size_t total = 0;
    for (std::size_t i = 0; i < meta.num_memory_planned_buffers(); ++i) {
      const auto size = static_cast<std::size_t>(
          take(meta.memory_planned_buffer_size(i), "its memory is not planned"));
      if (size > max_planned - total) throw std::runtime_error("the program wants too much memory");
      total += size;
      buffers_.emplace_back(size);
      spans_.emplace_back(buffers_.back().data(), size);
    }
    planned_.emplace(et::Span<et::Span<std::uint8_t>>(spans_.data(), spans_.size()));
  }

  // In the order in which each needs those before it.
  std::vector<std::uint8_t> bytes_;
  executorch::extension::BufferDataLoader loader_;
  et::Program program_;
  std::size_t window_ = 0, controls_ = 0;
  std::vector<std::vector<std::uint8_t>> buffers_;
  std::vector<et::Span<std::uint8_t>> spans_;
  std::optional<et::HierarchicalAllocator> planned_;
  executorch::extension::MallocMemoryAllocator methods_;
  Arena temporary_;
  et::BackendOptions<1> options_;
  et::LoadBackendOptionsMap option_map_;
  std::optional<et::MemoryManager> manager_;
  std::optional<et::Method> method_;
  std::vector<float> in_, knobs_;
  std::vector<executorch::extension::TensorPtr> tensors_;
  std::vector<et::EValue> values_;
};

void say(char* error, std::size_t size, const char* text) {
  if (error == nullptr || size == 0) return;
  std::snprintf(error, size, "%s", text);
  std::replace(error, error + std::strlen(error), '\n', ' ');
}

Program* unwrap(fxkit_backend_program* program) { return reinterpret_cast<Program*>(program); }
const Program* unwrap(const fxkit_backend_program* program) {
  return reinterpret_cast<const Program*>(program);
}

fxkit_backend_program* open_program(const void* data, std::size_t size, char* error,
                                    std::size_t error_size) {
  try {
    start_runtime();
    last_error[0] = '\0';
    return reinterpret_cast<fxkit_backend_program*>(new Program(data, size));
  } catch (const std::exception& problem) {
    say(error, error_size, problem.what());
    return nullptr;
  }
}

int run_program(fxkit_backend_program* program, const float* in, const float* controls, float* out,
                char* error, std::size_t error_size) {
  try {
    unwrap(program)->run(in, controls, out);
    return 1;
  } catch (const std::exception& problem) {
    say(error, error_size, problem.what());
    return 0;
  }
}

constexpr fxkit_backend backend = {
    .version = FXKIT_BACKEND_VERSION,
    .name = "executorch",
    .runtime = FXKIT_EXECUTORCH_VERSION,
    .open = open_program,
    .window = [](const fxkit_backend_program* program) { return unwrap(program)->window(); },
    .controls = [](const fxkit_backend_program* program) { return unwrap(program)->controls(); },
    .run = run_program,
    .close = [](fxkit_backend_program* program) { delete unwrap(program); },
};

}  // namespace
}  // namespace fxkit::executorch_backend

extern "C" FXKIT_BACKEND_EXPORT const fxkit_backend* fxkit_backend_get() {
  return &fxkit::executorch_backend::backend;
}
