// The tables of the state database and their versions; each version is a step from the previous one.
#pragma once

#include "gateway/base/result.h"

namespace sallyport::state {

class Database;

// Creates the tables in a new file and upgrades those of an older version, in one transaction. Refuses files that are
// not ours, are damaged or have a newer version, without changing them.
Result<Done> prepare_schema(Database& database);

// True for a database of this program whose version this program does not know: a newer one's, or none that ever was.
bool is_of_no_version_of_ours(Database& database);

}  // namespace sallyport::state
