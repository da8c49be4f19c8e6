-- The version of what is stored of an account: `schema` in the account. An account of an older version is brought to
-- this one by the step that first touches it; one of a newer version is refused. Schema 1 is that of releases which
-- noted no version; they go on reading and writing accounts of schema 2 beside this one.
local names, accounts, gate, limits = require 'names', require 'accounts', require 'gate', require 'limits'
local VERSION, GATE = names.schema_version, accounts.GATE

local schema = {}

-- Returns an error where an account of this version cannot be read.
function schema.refuses(version)
  if version and version ~= VERSION then return redis.error_reply('NEWERSCHEMA ' .. version) end
end

function schema.read(account)
  local packed = account.row[GATE]
  if packed then gate.unpack(packed, account) end
  accounts.keep_clock(account)
end

-- Whether holds are as releases left them that did not note in them whether limits have counted them. Such a release
-- may also have written to an account behind its migration.
function schema.is_old(account)
  return account.limits and accounts.last_of_sequence(account) == 0
end

-- Brings the account to this schema, behind every answer that leaves it as it is.
function schema.migrate(account)
  limits.note_what_was_counted(account)
end

return schema
