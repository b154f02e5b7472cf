// fuzz_seeds FOLDER: writes small model files, sound and damaged, into FOLDER/open, their parts into
// FOLDER/parse, and files of other players into FOLDER/import, for the fuzzers to begin with.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "models.h"
#include "other_players.h"

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: fuzz_seeds FOLDER\n", stderr), 2;
  int number = 0;
  const auto write = [&](test::ModelFile file) {
    file.add_probe(5);
    const std::string name = "/seed_" + std::to_string(number++), folder = argv[1];
    const std::string whole = file.bytes();
    std::ofstream(folder + "/open" + name, std::ios::binary) << whole;
    std::ofstream(folder + "/open" + name + "_cut", std::ios::binary)
        << whole.substr(0, whole.size() * 3 / 4);
    std::string bent = whole;
    bent[bent.size() / 2] ^= 0x40;
    std::ofstream(folder + "/open" + name + "_bent", std::ios::binary) << bent;
    const std::string parts = folder + "/parse" + name;
    std::ofstream(parts + "c", std::ios::binary) << 'c' << file.bytes();
    std::ofstream(parts + "m", std::ios::binary) << 'm' << file.manifest();
    std::ofstream(parts + "g", std::ios::binary) << 'g' << file.graph();
  };
  std::filesystem::create_directories(std::string(argv[1]) + "/open");
  std::filesystem::create_directories(std::string(argv[1]) + "/parse");
  std::filesystem::create_directories(std::string(argv[1]) + "/import");
  for (const auto& text : {test::lstm(), test::wavenet(), test::aidax("gru"), test::aidax("lstm"),
                           test::proteus("GRU"), test::proteus("LSTM")}) {
    std::ofstream(std::string(argv[1]) + "/import/seed_" + std::to_string(number++)) << text;
  }
  for (const char* cell : {"gru", "lstm"}) {
    write(test::recurrent_model(cell, 2, 1.0, ",\"initial_h\":\"h0\",\"reset_every\":3"));
    write(test::recurrent_model(cell, 1, 1.0, "", 2));
  }
  write(test::conv_model(3, 3, 5));
  write(test::wavenet_model(2, 2, true));
  write(test::wavenet_model(1, 2, false));
  write(test::rates_model("hold"));
  write(test::rates_model("zeros"));
  for (const char* name : {"tanh", "leaky_relu", "elu", "hardtanh", "leaky_hardtanh", "prelu"}) {
    write(test::function_model(name));
  }
  return 0;
}
