/* The shared library has no code of its own: this is the file that CMake wants. */
#include "kvstore/client.h"
#include "kvstore/node.h"
