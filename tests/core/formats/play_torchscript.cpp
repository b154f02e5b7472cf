// Plays raw 32-bit samples through a TorchScript file, in blocks of changing sizes:
//   play MODEL.pt IN.raw OUT.raw [KNOB...]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/script.h>

int main(int argc, char** argv)
{
    if (argc < 4)
        return 2;
    torch::NoGradGuard no_gradients;
    at::set_num_threads(1);
    torch::jit::Module model = torch::jit::load(argv[1]);
    model.eval();

    std::ifstream file(argv[2], std::ios::binary);
    std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
    std::vector<float> in(bytes.size() / sizeof(float));
    std::copy_n(bytes.data(), in.size() * sizeof(float), reinterpret_cast<char*>(in.data()));

    torch::jit::IValue knobs;
    if (argc > 4) {
        torch::Tensor values = torch::empty({1, argc - 4});
        for (int k = 4; k < argc; ++k)
            values[0][k - 4] = std::atof(argv[k]);
        knobs = values;
    }

    std::ofstream out(argv[3], std::ios::binary);
    torch::jit::IValue state = model.run_method("initial_state", 1);
    const long sizes[] = {1, 7, 64, 512, 333};
    for (long start = 0, i = 0; start < static_cast<long>(in.size()); ++i) {
        const long n = std::min(sizes[i % 5], static_cast<long>(in.size()) - start);
        torch::Tensor x = torch::from_blob(in.data() + start, {1, 1, n});
        auto made = model.forward({x, state, knobs}).toTuple();
        torch::Tensor y = made->elements()[0].toTensor().contiguous();
        state = made->elements()[1];
        out.write(reinterpret_cast<const char*>(y.data_ptr<float>()), n * sizeof(float));
        start += n;
    }
    std::printf("%lld\n", static_cast<long long>(model.run_method("sample_rate").toInt()));
    return out ? 0 : 1;
}
