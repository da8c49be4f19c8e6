# Joins Lua modules to one text: cmake "-DMODULES=file;file" -DMAIN=file -DOUT=file -P
# bundle_lua.cmake Each module becomes a function, which `require` calls once; MAIN follows them
# unchanged.
set(TEXT "local loaders, modules = {}, {}
local function require(name)
  if modules[name] == nil then modules[name] = loaders[name](require) end
  return modules[name]
end
")
foreach(FILE ${MODULES})
  get_filename_component(NAME ${FILE} NAME_WE)
  file(READ ${FILE} MODULE)
  string(APPEND TEXT "function loaders.${NAME}(require)\n${MODULE}end\n")
endforeach()
file(READ ${MAIN} MODULE)
file(WRITE ${OUT} "${TEXT}${MODULE}")
