#pragma once
// zlib: closed journal segments are kept as gzip. Source: zlib.h, Debian's zlib1g-dev.
#include <zlib.h>
