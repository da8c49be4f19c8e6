# Turns a text file into a C++ raw string literal: cmake -DIN=file -DOUT=file -P embed_text.cmake
file(READ ${IN} TEXT)
file(WRITE ${OUT} "R\"EMBED(${TEXT})EMBED\"\n")
