// The tables of the archive in PostgreSQL, as SQL.
#pragma once

namespace tollgate::proxy::archive {

// Whether everything below exists. A reader needs no right to create it.
extern const char* const has_tables;
// Creates what is missing, also in an archive of an earlier version. An index of a large archive
// may take minutes.
extern const char* const create_tables;
// A comment on every table and every column, for those who explore the database.
extern const char* const describe_tables;

}  // namespace tollgate::proxy::archive
