// Runs a fuzz target over the files of the directories given, without libFuzzer: so that every seed, and every input
// that once broke something, is also an ordinary test.
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  std::string current = "the empty input";
  try {
    run("");
    for (int i = 1; i < argc; ++i) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
        if (!entry.is_regular_file()) continue;
        current = entry.path().string();
        std::ifstream file(entry.path(), std::ios::binary);
        run({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
        ++count;
      }
    }
  } catch (const std::exception& error) {
    std::cerr << current << ": " << error.what() << "\n";
    return 1;
  }
  if (count == 0) {
    std::cerr << "no input found\n";
    return 1;
  }
  std::cout << count << " inputs\n";
  return 0;
}
