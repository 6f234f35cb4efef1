/* What the reference programs share: clock, options, percentiles, sockets, and reading a value out of flat JSON. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Prints "program: text" to standard error and exits with 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Nanoseconds of the monotonic clock. */
int64_t monotonic_ns(void);

/* Sleeps until the monotonic clock reads `deadline_ns`. */
void sleep_until(int64_t deadline_ns);

/* Value of `--name VALUE` as a positive number, or `fallback`. Exits with 64 on nonsense. */
double option_number(int count, char **arguments, const char *name, double fallback);

/* Sorts `values` in place. */
void sort_samples(int64_t *values, size_t count);

/* The value at `share` (0 to 1) of sorted `values`, in microseconds. */
double percentile_us(const int64_t *values, size_t count, double share);

/* A socket with linger 0 and the given high-water marks; exits on failure. The calling thread owns it. */
void *open_socket(void *context, int type, int high_water_mark);
void set_option(void *socket, int option, int value);
void bind_socket(void *socket, const char *endpoint);
void connect_socket(void *socket, const char *endpoint);

/* Sends one frame; exits when the peer takes nothing within the socket's send timeout. */
void send_text(void *socket, const char *text);

/* Copies the value of the first `"key":` in flat JSON, quotes removed. Returns 0 when the key is absent. */
int find_value(const char *json, const char *key, char *out, size_t capacity);

#endif
