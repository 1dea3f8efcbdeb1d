// The ARC sets of a stranger's header section (RFC 8617; threats.md D22). A chain without a problem is whole, within
// its bounds, and every seal has its input.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/signature/arc_chain.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sallyport;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const mail::HeaderSection section(octets);
  const signature::ArcChain chain = signature::read_arc_chain(section);
  ensure(chain.sets.size() <= signature::max_arc_instance, "more than 50 sets");
  ensure(chain.sets.empty() || chain.highest == chain.sets.size(), "the highest instance is another");
  std::string prefix;
  for (std::size_t i = 0; i < chain.sets.size(); ++i) {
    const signature::ArcSet& set = chain.sets[i];
    ensure(set.instance == i + 1, "sets are not in order");
    ensure(set.results_field && set.message_field && set.seal_field, "a set is not whole");
    if (!chain.problem.empty()) continue;
    ensure(set.seal.is_well_formed(), "a broken seal is no problem");
    signature::seal_input(chain.sets, i, prefix);
  }
  ensure(prefix.size() <= size + 2 * section.fields().size(), "more is sealed than is there");
  return 0;
}
