// The one translation unit of every Catch2 executable that holds the framework itself.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
