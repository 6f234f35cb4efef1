/* The sending half of ZMTP 3.0 without a library: thousands of terminals in one thread, one descriptor each. */
#ifndef ZMTP_H
#define ZMTP_H

#include <stddef.h>

enum { FRAME_OVERHEAD = 2, SHORT_FRAME = 255 };

/* Connects to tcp://ADDRESS:PORT as a PUSH and shakes hands; the descriptor is non-blocking afterwards. -1 with errno set. */
int zmtp_connect_push(const char *endpoint);

/* Puts `length` (at most SHORT_FRAME) bytes as one frame at `out`; returns the bytes written. */
size_t zmtp_frame(unsigned char *out, const char *text, size_t length);

#endif
