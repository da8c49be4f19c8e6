// Compiles Asio and Beast once for this program.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
