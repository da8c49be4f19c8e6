# Turns text files into one C++ raw string literal: cmake "-DIN=file;file" -DOUT=file -P
# embed_text.cmake The text is written as several literals, which the compiler joins: the standard
# guarantees 65,536 characters per literal.
set(OUT_TEXT "")
foreach(FILE ${IN})
  file(READ ${FILE} TEXT)
  string(APPEND OUT_TEXT "R\"EMBED(${TEXT})EMBED\"\n")
endforeach()
file(WRITE ${OUT} "${OUT_TEXT}")
