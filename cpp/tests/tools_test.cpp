// fxkit-render and fxkit-probe as a shell calls them: what they write, and one line for bad input.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "models.h"
#include "test.h"
#include "wav.h"

namespace {

namespace fs = std::filesystem;

struct Result {
  int status;
  std::string text;  // both streams
};

Result run(const std::string& command) {
  Result result{-1, ""};
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return result;
  char part[256];
  while (const std::size_t got = std::fread(part, 1, sizeof part, pipe)) {
    result.text.append(part, got);
  }
  const int status = pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

// A folder with a model and a few recordings.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("fxkit_tools_" + std::to_string(getpid()));
  test::ModelFile model = test::wavenet_model(2, 2, true);
  std::vector<float> x = model.noise(1700, 0.3);

  Folder() {
    fs::create_directories(path);
    model.add_probe();
    write("model.fxkit", model.bytes());
    fxkit::tools::Wav wav;
    wav.sample_rate = 48000;
    wav.channels = {x, x};
    fxkit::tools::write_wav(at("in.wav"), wav);
    std::string bytes = read("in.wav");
    write("cut.wav", bytes.substr(0, bytes.size() / 2));
    std::string eight = bytes;
    eight[34] = 8;
    write("eight.wav", eight);
    wav.sample_rate = 44100;
    fxkit::tools::write_wav(at("slow.wav"), wav);
    wav.channels = {{}};
    fxkit::tools::write_wav(at("empty.wav"), wav);
    write("nothing.wav", "");
  }
  ~Folder() { fs::remove_all(path); }

  std::string at(const std::string& name) const { return (path / name).string(); }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(at(name), std::ios::binary) << bytes;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(at(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Result render(const std::string& model, const std::string& in, const std::string& out,
                const std::string& more = {}) const {
    return run("cd " + path.string() + " && " FXKIT_RENDER " " + model + " " + in + " " + out +
               " " + more);
  }
};

TEST(render_writes_what_the_model_plays) {
  const Folder folder;
  const Result result = folder.render("model.fxkit", "in.wav", "out.wav", "'knob 0=0.75'");
  CHECK_MORE(result.status == 0 && result.text.empty(), result.text);
  const auto wav = fxkit::tools::read_wav(folder.at("out.wav"));
  CHECK(wav.sample_rate == 48000 && wav.channels.size() == 2);
  const auto wanted = folder.model.play(folder.x, {0.75f, 0.25f})[0];
  for (const auto& channel : wav.channels) {
    double worst = 0;
    CHECK(channel.size() == wanted.size());
    for (std::size_t t = 0; t < channel.size() && t < wanted.size(); ++t) {
      worst = std::max(worst, std::abs(channel[t] - wanted[t]));
    }
    CHECK_MORE(worst < 1e-5, std::to_string(worst));
  }
}

TEST(render_converts_the_rate) {
  const Folder folder;
  const Result result = folder.render("model.fxkit", "slow.wav", "out.wav");
  CHECK_MORE(result.status == 0, result.text);
  const auto wav = fxkit::tools::read_wav(folder.at("out.wav"));
  CHECK(wav.sample_rate == 44100 && wav.channels[0].size() == folder.x.size());
}

TEST(render_says_in_one_line_what_is_wrong_and_writes_nothing) {
  const Folder folder;
  const struct {
    const char *model, *in, *out, *more, *words;
  } cases[] = {
      {"none.fxkit", "in.wav", "out.wav", "", "no such file"},
      {"in.wav", "in.wav", "out.wav", "", "not a model file"},
      {".", "in.wav", "out.wav", "", "is a folder"},
      {"model.fxkit", "none.wav", "out.wav", "", "No such file"},
      {"model.fxkit", "nothing.wav", "out.wav", "", "is not a WAV file"},
      {"model.fxkit", "model.fxkit", "out.wav", "", "is not a WAV file"},
      {"model.fxkit", "empty.wav", "out.wav", "", "has no samples"},
      {"model.fxkit", "cut.wav", "out.wav", "", "is cut off"},
      {"model.fxkit", "eight.wav", "out.wav", "", "must be PCM of 16, 24 or 32 bits"},
      {"model.fxkit", "in.wav", "none/out.wav", "", "No such file"},
      {"model.fxkit", "in.wav", ".", "", "is a folder"},
      {"model.fxkit", "in.wav", "out.wav", "drive=1", "knobs are: knob 0, knob 1"},
      {"model.fxkit", "in.wav", "out.wav", "'knob 0=2'", "from 0 to 1"},
      {"model.fxkit", "in.wav", "", "", "usage:"},
  };
  for (const auto& c : cases) {
    const Result result = folder.render(c.model, c.in, c.out, c.more);
    CHECK_MORE(result.status == 2, result.text);
    CHECK_MORE(result.text.find(c.words) != std::string::npos, result.text);
    CHECK_MORE(result.text.find('\n') + 1 == result.text.size(), result.text);
    CHECK(!fs::exists(folder.at("out.wav")) && !fs::exists(folder.at("out.wav.part")));
  }
}

TEST(render_does_not_replace_a_device) {
  const Folder folder;
  struct stat status{};
  if (stat("/dev/full", &status) != 0 || !S_ISCHR(status.st_mode)) return;
  // By another name: a mistake must not cost the machine its device.
  fs::create_symlink("/dev/full", folder.at("full"));
  const Result result = folder.render("model.fxkit", "in.wav", "full");
  CHECK(result.status == 2);
  CHECK_MORE(result.text.find("No space left") != std::string::npos, result.text);
  CHECK(fs::is_symlink(folder.at("full")));
}

TEST(render_into_its_own_input) {
  const Folder folder;
  CHECK(folder.render("model.fxkit", "in.wav", "in.wav").status == 0);
  CHECK(fxkit::tools::read_wav(folder.at("in.wav")).channels[0].size() == folder.x.size());
}

TEST(probe_says_how_fast_a_model_plays) {
  const Folder folder;
  const Result good = run(FXKIT_PROBE " " + folder.at("model.fxkit"));
  CHECK_MORE(good.status == 0, good.text);
  for (const char* words : {"48000 Hz, latency 0", "knob knob 1, default 0.25", "baseline", "ns a sample"}) {
    CHECK_MORE(good.text.find(words) != std::string::npos, good.text);
  }
  std::string damaged = folder.read("model.fxkit");
  damaged.back() ^= 0x3f;
  folder.write("damaged.fxkit", damaged);
  for (const char* name : {"none.fxkit", "in.wav", "nothing.wav", "damaged.fxkit"}) {
    const Result bad = run(FXKIT_PROBE " " + folder.at(name));
    CHECK_MORE(bad.status == 1, bad.text);
    CHECK_MORE(bad.text.find('\n') + 1 == bad.text.size(), bad.text);
    CHECK_MORE(bad.text.find("fxkit-probe: ") == 0, bad.text);
  }
  CHECK(run(FXKIT_PROBE).status == 2);
}

}  // namespace
