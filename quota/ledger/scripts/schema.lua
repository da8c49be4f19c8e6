-- The version of an account's stored data: `schema` in the account. An account of an older version is migrated to this
-- one by the step that first uses it; one of a newer version is refused. Schema 1 belongs to releases that stored no
-- version; they can still read and write accounts of schema 2 alongside this release.
local names, accounts, gate, limits = require 'names', require 'accounts', require 'gate', require 'limits'
local VERSION, GATE = names.schema_version, accounts.GATE

local schema = {}

-- Returns an error if an account of this version cannot be read.
function schema.refuses(version)
  if version and version ~= VERSION then return redis.error_reply('NEWERSCHEMA ' .. version) end
end

function schema.read(account)
  local packed = account.row[GATE]
  if packed then gate.unpack(packed, account) end
  accounts.keep_clock(account)
end

-- Whether holds are in the form of releases that did not record in them whether limits had counted them. Such a release
-- may also have written to an account after its migration.
function schema.is_old(account)
  return account.limits and accounts.last_of_sequence(account) == 0
end

-- Migrates the account to this schema, after any answer that leaves it unchanged.
function schema.migrate(account)
  limits.note_what_was_counted(account)
end

return schema
