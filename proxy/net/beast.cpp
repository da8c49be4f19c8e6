// Beast is compiled once, here, instead of in every file that includes it.
#include <boost/beast/src.hpp>
