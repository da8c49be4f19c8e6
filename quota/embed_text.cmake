# Turns text files into one C++ raw string literal: cmake "-DIN=file;file" -DOUT=file -P embed_text.cmake
# It is written in pieces, which the compiler joins: the standard promises 65,536 characters a literal.
set(OUT_TEXT "")
foreach(FILE ${IN})
  file(READ ${FILE} TEXT)
  string(APPEND OUT_TEXT "R\"EMBED(${TEXT})EMBED\"\n")
endforeach()
file(WRITE ${OUT} "${OUT_TEXT}")
