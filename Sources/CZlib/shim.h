#pragma once
// zlib: closed journal segments are kept as gzip, and answers over HTTP leave as gzip. Source: zlib.h, Debian's zlib1g-dev.
#include <limits.h>
#include <string.h>
#include <zlib.h>

// The most bytes that `mesh_deflate` makes of so many, with the largest header there is (gzip's).
static inline size_t mesh_deflate_bound(size_t count) { return compressBound(count) + 18; }

// Deflates a whole block. `window_bits` as deflateInit2 has them: negative for raw data, 16 added for gzip's header.
// Returns how many bytes were written; 0 where zlib has no memory or the room does not suffice.
static inline size_t mesh_deflate(
    const unsigned char *source, size_t count, unsigned char *target, size_t room, int level, int window_bits) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (count > UINT_MAX || room > UINT_MAX) return 0;
    if (deflateInit2(&stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (unsigned char *)source;
    stream.avail_in = (unsigned int)count;
    stream.next_out = target;
    stream.avail_out = (unsigned int)room;
    int end = deflate(&stream, Z_FINISH);
    size_t made = room - stream.avail_out;
    deflateEnd(&stream);
    return end == Z_STREAM_END ? made : 0;
}
