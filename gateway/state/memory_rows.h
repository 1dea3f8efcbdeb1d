// The entries of MailMemory as rows of the embedded store, tables rule_memory and rule_memory_key. In the store's
// thread, or at the start.
#pragma once

#include <functional>
#include <string>

#include "gateway/base/result.h"
#include "gateway/base/sip_hash.h"
#include "gateway/base/units.h"
#include "gateway/state/database.h"
#include "gateway/state/memory_table.h"

namespace sallyport::state {

// One moment by both clocks.
struct Moment {
  Time steady;
  WallTime wall;
};

// The key of the fingerprints in the file; writes `ours` where it has none yet.
Result<HashKey> memory_hash_key(Database& database, const HashKey& ours);
// The number of the last transaction with changes that was kept: by it the next one knows whether the one before it
// was.
Result<std::int64_t> memory_batch(Database& database);
Result<Done> set_memory_batch(Database& database, std::int64_t batch);
// Calls `take` with each entry whose time is not over, those established and used most recently last; the rows of the
// others are deleted. True: the clock did not fit what was written last, so no time counts as passed, no row is deleted
// for its age, and the rows are to be written anew by this clock.
Result<bool> read_memory(Database& database, Moment now,
                         const std::function<void(const std::string& tenant, MemoryEntry entry)>& take);
Result<Done> write_memory(Database& database, Moment now, const std::string& tenant,
                          const MemoryTable::Changes& changes);

}  // namespace sallyport::state
