#include "gateway/settings/section.h"

#include "gateway/base/ensure.h"

namespace sallyport::settings {

Set::Set(std::span<const Section* const> sections) {
  for (const Section* section : sections) slots_.push_back({section, section->make()});
}

const void* Set::of(const Section& section) const {
  for (const Slot& slot : slots_) {
    if (slot.section == &section) return slot.settings.get();
  }
  broken("settings: a section that is not in the set");
}

void* Set::edit(const Section& section) {
  for (Slot& slot : slots_) {
    if (slot.section != &section) continue;
    // Another set may be reading this struct on another thread, so a shared one is copied, not changed.
    if (slot.settings.use_count() > 1) slot.settings = section.copy(slot.settings.get());
    return slot.settings.get();
  }
  broken("settings: a section that is not in the set");
}

}  // namespace sallyport::settings
