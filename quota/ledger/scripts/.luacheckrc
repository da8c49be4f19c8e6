std = "lua51"
max_line_length = 120
-- What Redis and quota/bundle_lua.cmake give a module; nothing else is global, and nothing global is ever set.
read_globals = { "redis", "struct", "require", "NAME" }
