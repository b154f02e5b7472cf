// fuzz_seeds FOLDER: writes small sound model files for the fuzzer to begin with.
#include <cstdio>
#include <fstream>
#include <string>

#include "models.h"

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: fuzz_seeds FOLDER\n", stderr), 2;
  int number = 0;
  const auto write = [&](test::ModelFile file) {
    file.add_probe(5);
    std::ofstream(std::string(argv[1]) + "/seed_" + std::to_string(number++), std::ios::binary)
        << file.bytes();
  };
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
