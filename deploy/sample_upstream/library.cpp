// Asio and Beast are compiled once for this program, here.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
